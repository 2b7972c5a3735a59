# --line-rate: a faster serial line for transfers.

bad = { $text } is not a line rate: write auto, keep, or a number from 38400 to 5000000
doing = changing the rate of the line
restarted = the board restarted while { $doing }: udpcli begins again
