//! `udpcli board tree`.

use std::fmt::Write as _;

use clap::Args;

use super::{SerialArgs, remote_path, session};
use crate::board::files::remote::{self, RemotePath};
use crate::board::files::{BoardPath, Entry, Shown};
use crate::cli::output;
use crate::error::{Error, Outcome};

/// What `udpcli board tree` takes.
#[derive(Debug, Args)]
pub(in crate::cli::board) struct TreeArgs {
    #[arg(value_name = ":DIR", default_value = ":", value_parser = remote_path())]
    folder: RemotePath,
    #[arg(long)]
    size: bool,
}

/// Prints a folder with everything in it.
pub(in crate::cli::board) fn run(args: &TreeArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let (folder, entries) = session::with_files(serial, |files| {
        let folder = remote::resolve_one(files, &args.folder);
        let entries = files.list(&folder, true)?;
        Ok((folder, entries))
    })?;
    output::print(drawn(&folder, &entries, args.size).as_bytes())
}

/// The tree as lines. The entries are in the order of their paths.
fn drawn(folder: &BoardPath, entries: &[Entry], with_size: bool) -> String {
    let mut out = format!(":{}\n", Shown(folder.as_bytes()));
    let mut sorted: Vec<(Vec<&[u8]>, &Entry)> = entries
        .iter()
        .map(|entry| {
            let below = entry.path.below(folder).unwrap_or_default();
            (below.split(|byte| *byte == b'/').collect(), entry)
        })
        // A file that was named itself.
        .filter(|(parts, _): &(Vec<&[u8]>, _)| parts.iter().all(|part| !part.is_empty()))
        .collect();
    // By names and not by bytes: `a/b` comes before `a.py`.
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    // Go backwards, because then it is known whether more entries follow at each depth.
    let mut lines = Vec::with_capacity(sorted.len());
    let mut follows: Vec<bool> = Vec::new();
    for (parts, entry) in sorted.iter().rev() {
        let depth = parts.len();
        follows.resize(depth, false);
        let mut line = String::new();
        let (last, above) = follows
            .split_last_mut()
            .map_or((false, &[][..]), |(last, above)| {
                (std::mem::replace(last, true), &*above)
            });
        for more in above {
            line.push_str(if *more { "│   " } else { "    " });
        }
        line.push_str(if last { "├── " } else { "└── " });
        let name = Shown(entry.path.name());
        // Writing to a String cannot fail.
        let _ = match (entry.is_folder, with_size) {
            (true, _) => write!(line, "{name}/"),
            (false, true) => write!(line, "{name} ({})", entry.len),
            (false, false) => write!(line, "{name}"),
        };
        lines.push(line);
    }
    for line in lines.iter().rev() {
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_drawn_by_its_names() {
        let entry = |path: &str, is_folder| Entry {
            path: BoardPath::from(path),
            len: 7,
            is_folder,
        };
        let entries = [
            entry("/lib", true),
            entry("/lib.py", false),
            entry("/lib/a", true),
            entry("/lib/a/b.py", false),
            entry("/lib/c.py", false),
            entry("/x\u{1b}.py", false),
        ];
        assert_eq!(
            drawn(&BoardPath::root(), &entries, false),
            ":/\n├── lib/\n│   ├── a/\n│   │   └── b.py\n│   └── c.py\n├── lib.py\n└── x\\x1b.py\n"
        );
        assert_eq!(
            drawn(&BoardPath::from("/lib"), &entries[2..4], true),
            ":/lib\n└── a/\n    └── b.py (7)\n"
        );
        assert_eq!(drawn(&BoardPath::from("/lib"), &[], true), ":/lib\n");
    }
}
