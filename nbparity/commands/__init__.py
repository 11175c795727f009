"""The commands of `nbparity`: options, and what is printed."""
