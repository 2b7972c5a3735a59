# Messages with a name: send HOST:PORT @NAME, and udpcli messages.

message = message { $name }
message-of = message { $name } in { $file }
no-name = the name of a message is missing after @
    .hint = write, for example: @led-on (udpcli messages lists the names); to send the sign @ itself, write @@
unknown = { $file } has no message { $name }
    .hint = to send the text itself, write one more @: @@{ $text }; udpcli messages lists the names
    .hint-nearest = did you mean @{ $nearest }? To send the text itself, write one more @: @@{ $text }
no-file = there is no message { $name }: this folder has no { $file }
failed = message { $number } of { $count }, { $name }, failed
not-in-a-conversation = { $flag } does not work with messages that have a wait or expect of their own
    .hint = write expect and wait for the messages in { $file }; -w D is only for messages without wait
report-without-messages = --format junit reports on messages with a name
    .hint = name them in udpcli.toml, then: udpcli send 192.168.0.3:6000 @led-on @led-off --format junit
report-too-long = --format junit reports on { $most } messages at most
    .hint = -n N sets the number of rounds
junit-not-sent = not sent: a message before it failed
junit-interrupted = the run was interrupted
none = { $path } has no messages: a message is a table [messages.NAME]
none-without-file = this folder has no { $path }, the file for messages with a name
