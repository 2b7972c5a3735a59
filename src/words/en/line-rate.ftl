# --line-rate: a faster serial line for transfers.

bad = { $text } is not a line rate: write auto, keep, or a number from 9600 to 5000000
doing = changing the rate of the line
