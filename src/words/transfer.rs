//! The refusals of file transfers, in words.

use crate::board::files::error::TransferRefusal;
use crate::board::path::Shown;
use crate::words::catalogue::say;

/// The refusal as text.
pub(super) fn message(refusal: &TransferRefusal) -> String {
    match refusal {
        TransferRefusal::TooLong { path } => {
            say!("board-cli.too-long-to-put", path = path.display())
        }
        TransferRefusal::NotAFile { path } => say!("board-cli.no-file", path = path.display()),
        TransferRefusal::TooDeep { path, most } => {
            say!("board-cli.too-deep", path = path.display(), most = most)
        }
        TransferRefusal::NoUnicode { path } => say!("board-cli.no-unicode", path = path.display()),
        TransferRefusal::OwnTemporary { name } => {
            say!("board-cli.own-temporary", name = Shown(name))
        }
        TransferRefusal::ClashWithFolder { path } => {
            say!("board-cli.clash-folder", path = path.display())
        }
        TransferRefusal::Clash { first, second } => say!(
            "board-cli.clash",
            first = first.display(),
            second = second.display()
        ),
        TransferRefusal::Backslash { path, .. } => say!("board-cli.backslash", path = path),
        TransferRefusal::NotAFolder { path } => say!("board-cli.no-folder", path = path),
        TransferRefusal::NoNameHere { name } => say!("board-cli.no-name-here", name = Shown(name)),
        TransferRefusal::NameTooLong { name, .. } => say!(
            "udp.file-write",
            object = say!("board-cli.of-the-board", name = Shown(name))
        ),
        TransferRefusal::OneFileHere {
            first,
            second,
            path,
        } => say!(
            "board-cli.one-file-here",
            first = first,
            second = second,
            path = path.display()
        ),
        TransferRefusal::NoColon { path } => say!("board-cli.no-colon", path = path.display()),
        TransferRefusal::Backslashes { path, .. } => {
            say!("board-cli.backslashes", path = path.display())
        }
        TransferRefusal::Nul => say!("board-cli.no-nul"),
        TransferRefusal::GitBash { path } => say!("board-cli.git-bash", path = path.display()),
    }
}

/// The hint, if there is one.
pub(super) fn hint(refusal: &TransferRefusal) -> Option<String> {
    Some(match refusal {
        TransferRefusal::ClashWithFolder { .. } | TransferRefusal::Clash { .. } => {
            say!("board-cli.clash.hint")
        }
        TransferRefusal::Backslash { slashed, .. } => {
            say!("board-cli.backslash.hint", slashed = slashed)
        }
        TransferRefusal::NotAFolder { .. } => say!("board-cli.no-folder.hint"),
        TransferRefusal::Backslashes { slashed, .. } => {
            say!("board-cli.backslashes.hint", slashed = slashed)
        }
        TransferRefusal::GitBash { .. } => say!("board-cli.git-bash.hint"),
        _ => return None,
    })
}
