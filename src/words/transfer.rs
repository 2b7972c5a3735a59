//! The refusals of file transfers, in words.

use crate::board::files::error::Refusal;
use crate::board::path::Shown;
use crate::words::catalogue::say;

/// The refusal as text.
pub(super) fn message(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooLong { path } => say!("board-cli.too-long-to-put", path = path.display()),
        Refusal::NotAFile { path } => say!("board-cli.no-file", path = path.display()),
        Refusal::TooDeep { path, most } => {
            say!("board-cli.too-deep", path = path.display(), most = most)
        }
        Refusal::NoUnicode { path } => say!("board-cli.no-unicode", path = path.display()),
        Refusal::OwnTemporary { name } => say!("board-cli.own-temporary", name = Shown(name)),
        Refusal::ClashWithFolder { path } => say!("board-cli.clash-folder", path = path.display()),
        Refusal::Clash { first, second } => say!(
            "board-cli.clash",
            first = first.display(),
            second = second.display()
        ),
        Refusal::Backslash { path, .. } => say!("board-cli.backslash", path = path),
        Refusal::NotAFolder { path } => say!("board-cli.no-folder", path = path),
        Refusal::NoNameHere { name } => say!("board-cli.no-name-here", name = Shown(name)),
        Refusal::NameTooLong { name, .. } => say!(
            "udp.file-write",
            object = say!("board-cli.of-the-board", name = Shown(name))
        ),
        Refusal::OneFileHere {
            first,
            second,
            path,
        } => say!(
            "board-cli.one-file-here",
            first = first,
            second = second,
            path = path.display()
        ),
        Refusal::NoColon { path } => say!("board-cli.no-colon", path = path.display()),
        Refusal::Backslashes { path, .. } => say!("board-cli.backslashes", path = path.display()),
        Refusal::Nul => say!("board-cli.no-nul"),
        Refusal::GitBash { path } => say!("board-cli.git-bash", path = path.display()),
    }
}

/// The hint, if there is one.
pub(super) fn hint(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::ClashWithFolder { .. } | Refusal::Clash { .. } => say!("board-cli.clash.hint"),
        Refusal::Backslash { slashed, .. } => say!("board-cli.backslash.hint", slashed = slashed),
        Refusal::NotAFolder { .. } => say!("board-cli.no-folder.hint"),
        Refusal::Backslashes { slashed, .. } => {
            say!("board-cli.backslashes.hint", slashed = slashed)
        }
        Refusal::GitBash { .. } => say!("board-cli.git-bash.hint"),
        _ => return None,
    })
}
