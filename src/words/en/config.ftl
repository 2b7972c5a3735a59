# Configuration files: what is wrong with them, and what udpcli config prints beside the settings.

read = cannot read { $path }
too-long = { $path } is over { $most } bytes long
payload = cannot read the file of { $what }
at = { $path }, line { $line }, column { $column }
syntax = { $at }: { $problem }
    .hint = the file is TOML (https://toml.io): put text in quotes, as in names = "names.csv"
    .hint-key = a name with other characters than A-Z, a-z, 0-9, - and _ needs quotes, as in [messages."开灯"]
    .hint-typed = { $typed } was typed with a Chinese input method: write the ordinary character
unknown-key = { $at }: unknown key { $key }
    .hint = known keys: { $known }
    .hint-nearest = did you mean { $nearest }?
unknown-key-in = { $at }: unknown key { $key } in { $table }
not-of-project = { $at }: { $key } is a setting of this PC, not of a project
    .hint = { $file } is shared with other PCs, where { $key } has another value: move this line to { $path }
    .hint-no-folder = { $file } is shared with other PCs, where { $key } has another value: move this line to your own settings
not-of-user = { $at }: { $key } is a setting of a project, not of this PC
    .hint = move it to { $file } in the project's folder
wrong-type = { $at }: { $key } must be { $wanted }, not { $found }
value = { $at }: { $key }: { $problem }
value-problem = { $value }: { $problem }
each-entry = each entry of { $key }

wanted-text = a text in quotes
wanted-full-text = a text in quotes that is not empty
wanted-texts = a list of texts, as in ["*.bak", "notes"]
wanted-number = a whole number
wanted-duration = a duration, as in "2s"
wanted-percent = a number from 0 to 100
wanted-message = a table: [messages.NAME]
wanted-replies = a list of tables: [[replies]]
found-empty-text = an empty text
found-text = a text
found-number = a whole number
found-fraction = a number with a fraction
found-boolean = true or false
found-date = a date or time
found-list = a list
found-table = a table

utf-16 = the file is UTF-16: save it as UTF-8
not-utf-8 = this is not UTF-8: save the file as UTF-8
is-folder = it is a folder, not a file
not-regular = it is not a regular file
empty-text = the text is empty: leave the key out
no-baud = { $baud } is not a baud rate: write a number from { $least } to { $most }
out-of-range = { $number } is out of range
over-a-day = that is over a day
percent = write a number from 0 to 100
message-name = the name of a message consists of letters, digits, -, _ and .
no-pattern = the key on is missing: the pattern that this reply answers
encoding-of-bytes = encoding has no effect: bytes and files are sent as they are
two-bodies = { $first } and { $second } cannot be used together
no-body = nothing to send: the message needs one of { $keys }

toml-unquoted = put text in quotes
toml-no-opening = the quote before the text is missing
toml-open-text = the quote after the text is missing
toml-backslash = a backslash begins an escape: write two, or put the text in 'single quotes'
toml-control = a control character is not allowed here: delete it, or write it as an escape such as \r
toml-key = invalid unquoted key
toml-key-lines = put a key in one pair of quotes, not in three
toml-duplicate = duplicate key
toml-extend = this key has a value already, so it cannot hold another key
toml-no-value = key with no value, expected `=`
toml-value = the value after `=` is missing
toml-equals = there is one `=` too many
toml-open-table = unclosed table, expected `]`
toml-open-tables = unclosed table, expected `]]`
toml-open-array = unclosed array, expected `]`
toml-open-inline = unclosed table, expected `{ "}" }`
toml-comma = missing comma between array elements, expected `,`
toml-extra-comma = there is one comma too many
toml-boolean = neither true nor false: put text in quotes
toml-number = not a number in TOML: write it as 115200, -5 or 0.5, or put it in quotes if it is text
toml-date = not a date or time in TOML: put it in quotes if it is text
toml-other = this is not allowed here: a line has one key and its value, as in names = "names.csv"

project = project: { $path }
project-missing = project: { $path } (not there)
user = this PC: { $path }
user-missing = this PC: { $path } (not there)
user-no-folder = this PC: no folder for settings is known
unset = { $key }: { $meaning }
unset-serial = the one board found
unset-names = no file of names
from-environment = environment variable { $name }
from-file = { $path }, line { $line }
from-default = default
serial-set = the serial port { $port } is set in { $path }, line { $line }
