"""How well the records that survive a strategy stand for all: distances and their noise."""
