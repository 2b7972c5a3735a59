# What the page of `udpcli listen --report` finds, and what to do.

nothing = Not one datagram reached this PC.
nothing-next = Check the address and the port in the sender's program, and that both devices are in one network. Run udpcli doctor on this PC: it says whether a firewall drops the port. If both are right, the access point may keep its clients apart (client isolation, guest network): udpcli pair tells a firewall and an isolating access point apart.
only-others = { $n } datagrams arrived, and all came from other addresses than --from allows.
only-others-next = Compare the sender's address with the one after --from; udpcli listen without --from shows where datagrams come from.
dropped-here = This PC received datagrams and dropped them, because its receive buffer was full.
dropped-here-next = The network is not to blame for these. Send at a lower rate, give a larger buffer (--recv-buffer 8MiB), or let the listener do less: --format raw > /dev/null.
dropped-here-detail = { $n } of the { $lost } lost datagrams were dropped by this PC's kernel.
loss = { $percent } % were lost on the way here.
loss-of-sender = { $percent } % were lost on the way here, almost all of { $name }: { $n } of { $all }.
loss-scattered = Datagrams are lost now and then, at all times.
loss-scattered-next = That is how a crowded Wi-Fi channel, a weak signal or an overloaded access point looks. Try another channel, fewer devices, or a place nearer to the access point; compare with a cable.
scattered = They are lost one by one or a few in a row, { $longest } at most.
loss-in-bursts = Datagrams are lost many in a row, with times in between in which all arrive.
loss-in-bursts-next = That is how a device looks that changes its access point, saves power, or is disturbed by another radio; also a sender that sends faster than the network carries. Send at a lower rate or in smaller bursts, switch off power saving, and move nearer to one access point.
bursts = { $n ->
        [one] It happened once
       *[other] It happened { $n } times
    }: { $longest } in a row at most, and the longest outage was { $outage }.
loss-for-a-time = Almost all of the loss happened at one time.
loss-for-a-time-next = Find out what was different then: where the device was, which other devices sent, whether the access point restarted. If the device was moved, the signal is too weak in that place: move it or the access point.
stretch = It was noticed between { $from } and { $to } after the start; the longest outage was { $outage }.
