//! One libFuzzer program for all decoders; `UDPCLI_FUZZ` names the one to feed.

#![no_main]

mod decoders;

use std::sync::OnceLock;

fn chosen() -> decoders::Decoder {
    static CHOSEN: OnceLock<decoders::Decoder> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("UDPCLI_FUZZ").unwrap_or_default();
        let found = decoders::DECODERS.iter().find(|(known, _)| *known == name);
        found
            .unwrap_or_else(|| panic!("UDPCLI_FUZZ={name:?} is no decoder"))
            .1
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chosen()(bytes));
