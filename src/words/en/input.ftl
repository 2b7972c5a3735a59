# What the user types for a program on the board.

taken = the program reads what you type, but standard input is already in use: input() raises EOFError. Save the program in a file, and run that: udpcli board run main.py
not-ascii = input() on the board accepts only ASCII characters; udpcli left the others out
ended = standard input has ended; if the program waits for more, Ctrl-C ends it
