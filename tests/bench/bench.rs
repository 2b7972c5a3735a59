//! The benchmark: compares udpcli with its users' other programs, in one run on one machine.
//!
//! `cargo bench --bench peers` runs all of it, `cargo bench --bench peers -- --quick` a rough version in under a
//! minute; `docs/benchmark.md` says what each figure means. It only measures: it is not a test, and `cargo test` does
//! not run it.
//!
//! The helpers that need their own process (`sender`, `echo`, `guard`) are in the same program, which starts itself
//! again under those names.

#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod receive;
#[cfg(target_os = "linux")]
mod send;
#[cfg(target_os = "linux")]
mod single;
#[cfg(target_os = "linux")]
mod steady;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod trip;

use std::io::Write as _;
use std::process::ExitCode;

/// Prints a line on stdout; ignores a reader that is gone.
fn say(text: impl std::fmt::Display) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    say(
        "the benchmark measures through Linux's /proc and its peers' Linux options: nothing is measured here",
    );
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first() {
        Some((part, rest)) if part == "sender" => load::sender_main(rest),
        Some((part, _)) if part == "echo" => load::echo_main(),
        Some((part, rest)) if part == "guard" => process::guard_main(rest),
        // `cargo bench` gives --bench; `cargo test --all-targets` starts the program without.
        _ if args.iter().any(|arg| arg == "--test") || !args.iter().any(|arg| arg == "--bench") => {
            say("nothing is measured in a test run; the benchmark is: cargo bench --bench peers");
            return ExitCode::SUCCESS;
        }
        _ => options::Options::parse(&args).and_then(|options| match options {
            Some(options) => run(&options),
            None => Ok(true),
        }),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the requested sections; false if a measurement of udpcli itself failed.
#[cfg(target_os = "linux")]
fn run(options: &options::Options) -> process::Result<bool> {
    use options::Section;

    let started = std::time::Instant::now();
    let stage = process::Stage::new()?;
    let peers = peers::Peers::find();
    let machine = table::Machine::here();
    say(&machine);
    if !peers.missing().is_empty() {
        say(format_args!(
            "not installed, so not measured: {}",
            peers.missing().join(", ")
        ));
    }
    let context = options::Context {
        stage: &stage,
        peers: &peers,
        options,
    };
    let mut tables = Vec::new();
    let mut keep = |table: table::Table| {
        say(&table);
        tables.push(table);
    };
    for section in Section::ALL {
        if !options.wants(section) {
            continue;
        }
        match section {
            Section::Send => keep(send::measure(&context)?),
            Section::Receive => {
                for table in receive::measure(&context) {
                    keep(table);
                }
            }
            Section::EndToEnd => keep(trip::end_to_end(&context)),
            Section::OneShot => keep(single::one_shot(&context)?),
            Section::RoundTrip => keep(single::round_trip(&context)),
            Section::Pacing => keep(steady::pacing(&context)),
            Section::Memory => keep(steady::memory(&context)),
        }
    }
    let complete = tables.iter().all(table::Table::has_all_of_ours);
    let json = table::to_json(&tables, &machine, options, &peers.missing());
    table::write_json(&options.json, &json)?;
    say(format_args!(
        "\nraw results: {}; {:.0} s in all",
        options.json.display(),
        started.elapsed().as_secs_f64()
    ));
    Ok(complete)
}
