# What is wrong with a regular expression, and what to write there.

at = the regular expression is wrong at character { $at }: { $problem }
group-open = this ( is not closed: a ) is missing
group-closes-nothing = this ) closes no group; \) matches the character )
class-open = this [ is not closed: a ] is missing
class-range = the range goes backwards: in a-z the first character comes before the last
class-escape = between [ and ], write characters, ranges such as a-z, or \d, \s and \w
escape-at-end = nothing follows the backslash; \\ matches a backslash
escape = this escape does not exist; \. and \( match the characters . and (, \d a digit, \s a space, \w a letter
code = write a character by its number as \xNN or \x{ "{" }NNNN{ "}" }, with hex digits
flags = write flags as (?i) or (?s:..): the letters are i, m, s, x, u, U and R, each once
group-name = write a named group as (?<name>..): the name begins with a letter and has letters, digits and _
group-name-twice = an earlier group has the same name
nesting = groups may be nested { $most } deep at most
repetition-order = the first number of repetitions is above the second: write the smaller one first, as in { "{" }2,5{ "}" }
repetition-count = write the number of repetitions as { "{" }2{ "}" }, { "{" }2,{ "}" } or { "{" }2,5{ "}" }; \{ "{" } matches the character { "{" }
nothing-repeated = there is nothing before this character to repeat; with a backslash before it, it stands for itself
word-boundary = after \b, udpcli allows only { "{" }start{ "}" }, { "{" }end{ "}" }, { "{" }start-half{ "}" } and { "{" }end-half{ "}" }
unknown-class = udpcli does not know this class of characters; it knows \d, \s and \w
back-reference = udpcli does not support back-references such as \1
look-around = udpcli does not support (?=..), (?!..), (?<=..) and (?<!..)
beyond-ascii = after (?-u), only ASCII characters are allowed between [ and ]; \xNN is any byte
other = udpcli does not understand this part
