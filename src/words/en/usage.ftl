# What is wrong with a command line, and what to type instead.

conflict = the argument '{ $argument }' cannot be used with '{ $other }'
conflict-several = the argument '{ $argument }' cannot be used with: { $others }
conflict-any = the argument '{ $argument }' cannot be used with one or more of the other specified arguments
twice = the argument '{ $argument }' cannot be used multiple times
no-equals = equal sign is needed when assigning values to '{ $argument }'
no-value = a value is required for '{ $argument }' but none was supplied
no-value-of = a value is required for '{ $argument }' but none was supplied [possible values: { $values }]
value = invalid value '{ $value }' for '{ $argument }'
value-of = invalid value '{ $value }' for '{ $argument }' [possible values: { $values }]
value-because = invalid value '{ $value }' for '{ $argument }': { $problem }
command = unrecognized subcommand '{ $command }'
missing = the following required arguments were not provided: { $arguments }
no-command = '{ $command }' requires a subcommand but one was not provided [subcommands: { $commands }]
not-utf-8 = invalid UTF-8 was detected in one or more arguments
too-many-values = unexpected value '{ $value }' for '{ $argument }' found; no more were expected
too-few-values = { $given ->
    [one] { $least } values required by '{ $argument }'; only { $given } was provided
   *[other] { $least } values required by '{ $argument }'; only { $given } were provided
}
number-of-values = { $given ->
    [one] { $wanted } values required for '{ $argument }' but { $given } was provided
   *[other] { $wanted } values required for '{ $argument }' but { $given } were provided
}
negative = { $argument } takes no number below zero: '{ $value }'
argument = unexpected argument '{ $argument }' found
message-taken-for-flags = a message that begins with - is read as flags
other = { $error }

similar-command = a similar subcommand exists: '{ $guess }'
similar-commands = some similar subcommands exist: { $guesses }
similar-argument = a similar argument exists: '{ $guess }'
similar-arguments = some similar arguments exist: { $guesses }
similar-value = a similar value exists: '{ $guess }'
similar-values = some similar values exist: { $guesses }
as-value = to pass '{ $value }' as a value, use '{ $line }'
after-dashes = subcommand '{ $command }' exists; to use it, remove the '--' before it
exists = '{ $line }' exists
typed-word = { $typed } was typed with a Chinese input method: write { $meant }
typed-space = the space in it was typed with a Chinese input method: write { $meant }
flag-as-message = '{ $flag }' was typed with a Chinese input method: it is a message here, not a flag
    .hint = write: { $line }; or put -- before it to send it as it is
typed = { $typed } was typed with a Chinese input method: switch it to English and type the value again
form = usage: udpcli { $arguments }
see = see: udpcli{ $command } --help

write = write: { $line }
listen-on = to listen on port { $port }: { $line }
listen-on-default = to listen on port { $port }: { $line } ({ $port } is the default: udpcli listen)
