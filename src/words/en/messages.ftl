# Replies by pattern, templates, and messages with a name: what udpcli says of them.

pattern = cannot read the pattern in { $what }
    .hint = a pattern is the whole text, or re: and a regular expression, or hex: and bytes, where ?? is one byte and * any bytes
    .hint-cut = the first = ends the pattern: write \= for an = that belongs to it, for example: --on 're:^x\=(\d+)$=ok { "{" }1{ "}" }'
template = cannot read the template in { $what }
    .hint = fields are { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" } { "{" }line{ "}" }
    .hint-no-line = fields are { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" }
    .hint-reply = fields are { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" } { "{" }from{ "}" } { "{" }line{ "}" } and the groups of a regular expression: { "{" }0{ "}" } { "{" }1{ "}" } { "{" }name{ "}" }
    .hint-nearest = did you mean { $nearest }?
    .hint-braces = fields are seq, time, unix_ms, rand and line; a brace that is text is written twice: { "{{" } or { "}}" }
    .hint-braces-no-line = fields are seq, time, unix_ms and rand; a brace that is text is written twice: { "{{" } or { "}}" }
    .hint-braces-reply = fields are seq, time, unix_ms, rand, from, line and the groups of a regular expression; a brace that is text is written twice: { "{{" } or { "}}" }
    .hint-pipe = lines come through a pipe: seq 3 | udpcli send 192.168.0.3:6000 --template 'line { "{" }line{ "}" }'
no-equals = --on { $text }: there is no = between pattern and reply
    .hint = write, for example: --on 'temp?=23'
    .hint-typed = ＝ was typed with a Chinese input method: write { $line }
reply-in-file = { $path }, line { $line }
project-replies = answering with { $count ->
        [one] the reply
       *[other] the { $count } replies
    } of { $path }; --no-project leaves { $count ->
        [one] it
       *[other] them
    } out
too-many-rules = there are more than { $most } replies by pattern
    .hint = a regular expression can stand for several texts: re:^led (on|off)$ answers two
rules-together = cannot answer by pattern with { $sources } together: { $problem }
reply-of = the reply in { $path }, line { $line }
reply-too-long = a reply is one datagram: write a shorter one
reply-of-rule = the reply of { $rule }
too-many-expressions = there are more than { $most } replies with a regular expression
    .hint = write several as one: re:^cmd(\d+) (\w+)$ stands for cmd1, cmd2 and so on; whole texts and hex: do not count

regex-too-large = the regular expression is too large: write fewer repetitions
too-large-together = with this one the regular expressions take more than { $most } MiB of memory together
    .hint = write fewer repetitions; \w, \d and \s cover all languages, and [A-Za-z0-9_], [0-9] and [ \t] need much less memory
half-byte = a ? alone at character { $at }: ?? stands for one byte
too-long-with-gaps = a hex pattern with * has at most { $most } bytes
pattern-too-long = the pattern is longer than a datagram
unknown-field = unknown field { "{" }{ $name }{ "}" } at character { $at }
unknown-field-nearest = unknown field { "{" }{ $name }{ "}" } at character { $at }, perhaps { $nearest }
unclosed = the field at character { $at } has no closing { "}" }
stray = the { "}" } at character { $at } closes nothing
wrong-option = { "{" }{ $name }:{ $option }{ "}" } at character { $at }: { $problem }
no-option = this field takes nothing after its name
width = write a width from 1 to { $most }, or 04 for leading zeros
range = write two whole numbers from { $least } to { $most }, as in { "{" }rand:1..100{ "}" }
backwards = the first number must not be above the last
random = give a number of hex digits, from 1 to { $most }, or a range of values, such as 1..100
time-directive = { $directive } at character { $at } does not exist; %Y-%m-%d is the date, %H:%M:%S the time, %% a percent sign
time-unfinished = the % at character { $at } has no letter after it; %% is a percent sign
not-in-a-message = { "{" }{ $name }{ "}" } at character { $at } has no meaning in a message
no-lines = { "{" }line{ "}" } at character { $at } needs lines from standard input
no-group = the pattern has no group { $name } for the field at character { $at }
template-too-long = the template is over { $most } bytes long
    .hint = a datagram carries at most { $most } bytes: write a shorter template
over-limit = { $what } is over { $max } bytes, the most that a UDP datagram over { $family } carries
no-character-hint = { $encoding } cannot write { $character }: leave it out, or choose another encoding: --encoding utf-8, in a file encoding = "utf-8"
