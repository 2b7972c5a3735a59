//! The minified scripts are up to date, and docs/protocol.md describes them.

use std::fs;
use std::process::Command;

use crate::support::environment;

#[test]
fn the_minified_scripts_are_up_to_date() {
    let output = Command::new(environment().join("python"))
        .args(["-B", "tests/minify_scripts.py", "--check"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        said(&output.stdout),
        said(&output.stderr)
    );
}

/// The readable scripts with their names.
fn scripts() -> Vec<(String, String)> {
    ["src/board/scripts", "src/pair/scripts"]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn the_protocol_page_describes_every_name_on_the_line() {
    let page = fs::read_to_string("docs/protocol.md").unwrap();
    let mut count = 0;
    for (script, source) in scripts() {
        for line in source.lines() {
            let Some((code, names)) = line.split_once("# on the line: ") else {
                continue;
            };
            // For `def name(..)`, the row must contain the readable name too.
            let readable = code
                .trim()
                .strip_prefix("def ")
                .and_then(|rest| rest.split('(').next());
            for name in names.split(", ") {
                count += 1;
                let has = |line: &str| {
                    line.contains(&format!("`{name}(")) || line.contains(&format!("`{name}`"))
                };
                let is_described = page.split("\n\n").flat_map(rows).any(|row| {
                    has(&row)
                        && readable.is_none_or(|readable| {
                            row.contains(&format!("`{readable}`")) || row.contains(&script)
                        })
                });
                assert!(
                    is_described,
                    "docs/protocol.md does not describe {name} ({script}: {})",
                    line.trim()
                );
            }
        }
    }
    assert!(count > 80, "{count} names");
}

/// The rows of a table, or a whole paragraph.
fn rows(paragraph: &str) -> Vec<String> {
    if paragraph.starts_with('|') {
        paragraph.lines().map(str::to_owned).collect()
    } else {
        vec![paragraph.replace('\n', " ")]
    }
}

#[test]
fn the_protocol_page_describes_every_word_and_key() {
    let page = fs::read_to_string("docs/protocol.md").unwrap();
    let mut count = 0;
    for (script, call) in [
        ("network.py", "tell('"),
        ("info.py", "add('"),
        ("no_display.py", "write('\\n"),
    ] {
        let (_, source) = scripts()
            .into_iter()
            .find(|(name, _)| name == script)
            .unwrap();
        for after in source.split(call).skip(1) {
            // These calls add records with other keys.
            if ["files', add_", "wifi', add_"]
                .iter()
                .any(|group| after.starts_with(group))
            {
                continue;
            }
            let word: String = after
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            count += 1;
            assert!(
                page.contains(&format!("`{word}`")) || page.contains(&format!("`{word} ")),
                "docs/protocol.md does not describe {word:?} of {script}"
            );
        }
    }
    assert!(count > 35, "{count} words");
}

/// Flips each bit of the loader in turn, and counts how often the loader then accepts a damaged program.
const FLIP: &str = "
import binascii, contextlib, io, sys, warnings
warnings.simplefilter('ignore')
loader = open('src/board/scripts/minified/load.py', 'rb').read()
crc = binascii.crc32(b'print(1)', binascii.crc32(b'0,1'))
accepted = 0
for bit in range(-1, len(loader) * 8):
    text = bytearray(loader)
    if bit >= 0:
        text[bit // 8] ^= 1 << bit % 8
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            names = {}
            exec(text.decode('latin1'), names)
            names['_udpcli'](0, b'print(1)' if bit < 0 else b'print(3)', crc, 1)
    except BaseException:
        continue
    accepted += 1
sys.exit(str(accepted) if accepted != 1 else None)
";

/// The loader is sent without a checksum of its own.
#[test]
fn a_damaged_loader_never_accepts_a_damaged_program() {
    let output = Command::new(environment().join("python"))
        .args(["-B", "-c", FLIP])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "accepted: {stderr} times instead of once, undamaged"
    );
}
