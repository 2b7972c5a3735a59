# What is wrong with a regular expression, and what to write there.

at = the regular expression is wrong at character { $at }: { $problem }
group-open = this ( has no )
group-closes-nothing = this ) closes no group; \) is the sign itself
class-open = this [ has no ]
class-range = the range goes backwards: in a-z the first character comes before the last
class-escape = between [ and ] stand characters, ranges such as a-z, and \d, \s and \w
escape-at-end = nothing stands after the backslash; \\ is a backslash
escape = this escape does not exist; \. and \( are the signs themselves, \d is a digit, \s a space, \w a letter
code = write a character by its number as \xNN or \x{ "{" }NNNN{ "}" }, with hex digits
flags = write flags as (?i) or (?s:..): the letters are i, m, s, x, u, U and R, each once
group-name = write a named group as (?<name>..): the name begins with a letter and has letters, digits and _
group-name-twice = an earlier group has the same name
nesting = groups may be nested { $most } deep at most
repetition-order = the first number of repetitions is above the second: write the smaller one first, as in { "{" }2,5{ "}" }
repetition-count = write the number of repetitions as { "{" }2{ "}" }, { "{" }2,{ "}" } or { "{" }2,5{ "}" }; \{ "{" } is the sign itself
nothing-repeated = nothing stands before this sign that it could repeat; with a backslash before it, it is the sign itself
word-boundary = after \b only { "{" }start{ "}" }, { "{" }end{ "}" }, { "{" }start-half{ "}" } and { "{" }end-half{ "}" } may stand
unknown-class = udpcli does not know this class of characters; it knows \d, \s and \w
back-reference = \1 and the like, which repeat what a group matched, do not work here
look-around = (?=..), (?!..), (?<=..) and (?<!..) do not work here
beyond-ascii = after (?-u) only ASCII characters may stand between [ and ]; \xNN is any byte
other = udpcli does not understand what stands here
