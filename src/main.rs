//! The `udpcli` binary: parse, run, print the error, exit. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = udpcli::cli::complete::answered() {
        return code;
    }
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    udpcli::cli::language::choose(&args);
    let cli = match udpcli::cli::Cli::parse_args(&args) {
        Ok(cli) => cli,
        Err(error) => return udpcli::cli::report_usage(&error),
    };
    udpcli::cli::logging::start(&cli.global);
    match udpcli::run(cli) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            udpcli::cli::logging::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
