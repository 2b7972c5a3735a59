//! Replays the findings of fuzzing, and its seeds, through every decoder: docs/fuzzing.md.

// Tells clippy that all helpers here are test code.
#![cfg(test)]

mod decoders;

use std::fs;
use std::path::Path;

use decoders::DECODERS;

#[test]
fn every_past_finding_and_seed_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, decode) in DECODERS {
        let mut count = 0;
        for entry in
            fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        {
            let path = entry.expect("an entry").path();
            let bytes = fs::read(&path).expect("a readable file");
            eprintln!("{}", path.display());
            decode(&bytes);
            // An input that broke one decoder may also break another.
            for (_, other) in DECODERS {
                other(&bytes);
            }
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}
