"""Long tables on paper: measured, broken into pages and drawn without a box for each cell.

The library of the other modules lays out a page of HTML in about 20 ms for each line of a table,
most of it for boxes that a table of text needs none of. Here a table is text at known places: the
library still shapes the text, subsets the fonts and makes the frame of each page, and a line costs
a tenth. ``tables`` says what a table is, ``text`` measures, ``paging`` decides what stands on
which page, ``painting`` draws and ``tagging`` tells a screen reader what was drawn.
"""
