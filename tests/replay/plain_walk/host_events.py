"""`stage1_*` and `stage2_*`: the guest's and the host's mappings change."""

from plain_walk.state import READ_ONLY, UNMAPPED, WRITABLE


def host_event(walk, vm, event):
    kind = event["kind"]
    if kind == "stage1_map":
        _stage1_map(walk, vm, event)
    elif kind == "stage1_unmap":
        for page in _pages(vm, event["va"], event["pages"]):
            if vm.stage1.pop(page, None) is not None:
                walk.strategy.on_stage1_change(vm, page)
    elif walk.strategy.has_stage2:
        for page in _pages(vm, event["ipa"], event["pages"]):
            if kind == "stage2_map":
                _stage2_map(vm, page, event["writable"])
            elif kind == "stage2_wrprotect":
                _stage2_wrprotect(vm, page)
            else:
                _stage2_unmap(walk, vm, page, event["cause"])


def _pages(vm, address, pages):
    first = address // vm.page_size
    return range(first, first + pages)


def _stage1_map(walk, vm, event):
    tables = tuple(table // vm.page_size for table in event["tables"])
    vas = _pages(vm, event["va"], event["pages"])
    ipas = _pages(vm, event["ipa"], event["pages"])
    for va_page, ipa_page in zip(vas, ipas, strict=True):
        if vm.stage1.get(va_page) != (ipa_page, tables):
            vm.stage1[va_page] = (ipa_page, tables)
            walk.strategy.on_stage1_change(vm, va_page)


def _stage2_map(vm, page, writable):
    if writable:
        vm.set_stage2(page, WRITABLE)
    elif vm.stage2(page) == UNMAPPED:
        vm.set_stage2(page, READ_ONLY)


def _stage2_wrprotect(vm, page):
    if vm.stage2(page) == WRITABLE:
        vm.set_stage2(page, READ_ONLY)
        vm.count("pins_write_protected", int(vm.is_pinned(page)))


def _stage2_unmap(walk, vm, page, cause):
    if vm.is_pinned(page):
        if walk.strategy.refuses(cause):
            vm.count("unmaps_refused")
            return
        vm.count("forced_unpins")
        vm.drop_pins(page)
    vm.set_stage2(page, UNMAPPED)
