//! The flasher stub: Espressif's program, which writes flash faster than the ROM loader.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chip::spec::ChipSpec;
use super::loader::{CommandFault, Loader, Op, QUICK, words};

/// Loads the stub for a chip of this major revision into its memory and starts it.
pub(super) fn start(
    loader: &mut Loader<'_>,
    spec: &ChipSpec,
    major: u32,
) -> Result<(), CommandFault> {
    let unreadable = || CommandFault::Silent;
    // The P4 before revision 3 needs a stub of its own.
    let old = spec.stub.before.filter(|&(until, _)| major < until);
    let stub = old.map_or(spec.stub.newest, |(_, stub)| stub);
    let stub: serde_json::Value = serde_json::from_str(stub).map_err(|_| unreadable())?;
    let number = |key: &str| {
        let number = stub.get(key).and_then(serde_json::Value::as_u64);
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(unreadable)
    };
    let bytes = |key: &str| {
        let text = stub.get(key).and_then(serde_json::Value::as_str);
        text.and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(unreadable)
    };
    for (data, address) in [("text", "text_start"), ("data", "data_start")] {
        let (data, address) = (bytes(data)?, number(address)?);
        let blocks = data.len().div_ceil(spec.ram_block);
        let begin = [data.len(), blocks, spec.ram_block].map(|n| u32::try_from(n).unwrap_or(0));
        let [size, blocks, block] = begin;
        let begin = words(&[size, blocks, block, address]);
        loader.command(Op::MemBegin, &begin, QUICK)?;
        for (sequence, block) in (0..).zip(data.chunks(spec.ram_block)) {
            loader.block(Op::MemData, sequence, block, QUICK)?;
        }
    }
    let end = words(&[0, number("entry")?]);
    loader.command(Op::MemEnd, &end, QUICK)?;
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        // The stub sends this word once, without a command, when it runs.
        if loader.frame(QUICK)? == b"OHAI" {
            loader.stub = true;
            return Ok(());
        }
    }
    Err(unreadable())
}
