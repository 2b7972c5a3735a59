//! The rules and profiles of Microsoft Defender Firewall, from its registry keys. They are the same in every language
//! of Windows. The format of a rule is in [MS-GPFAS] 2.2.2.19: `v2.30|Action=Block|Active=TRUE|Dir=In|..|`.

use super::matching::Match;
use super::{BLOCKS_ALL, BY_DEFAULT, DropReason, Firewall, FirewallVerdict};

/// The kind of a network, which chooses the settings and rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// A network that the user does not trust, such as a café's.
    Public,
    /// A network at home or at work.
    Private,
    /// A network with a domain controller that knows this PC.
    Domain,
}

impl Profile {
    /// All profiles.
    pub(super) const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Domain];

    /// Its name in a rule, and in Windows' settings.
    fn name(self) -> &'static str {
        match self {
            Self::Public => "Public",
            Self::Private => "Private",
            Self::Domain => "Domain",
        }
    }

    /// The subkey with its settings.
    #[cfg(windows)]
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Public => "PublicProfile",
            Self::Private => "StandardProfile",
            Self::Domain => "DomainProfile",
        }
    }

    /// The profile for the category of a network in the list of networks.
    #[cfg(windows)]
    pub(super) fn of_category(category: u32) -> Option<Self> {
        match category {
            0 => Some(Self::Public),
            1 => Some(Self::Private),
            2 => Some(Self::Domain),
            _ => None,
        }
    }
}

/// Who made a setting or a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeBy {
    /// Somebody on this PC.
    ThisPc,
    /// The network's administrator, through the group policy. Nothing on this PC changes it.
    Administrator,
}

/// The settings of one profile. Windows' defaults apply to missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProfileSettings {
    /// The profile.
    pub(super) profile: Profile,
    /// `EnableFirewall`.
    pub(super) is_on: bool,
    /// `DefaultInboundAction`: whether datagrams that no rule allows are dropped.
    pub(super) blocks: bool,
    /// `DoNotAllowExceptions`: whether rules that allow are ignored, and who set it.
    pub(super) blocks_all: Option<MadeBy>,
    /// `DisableNotifications` is not set: Windows asks about a program that starts to listen.
    pub(super) asks: bool,
    /// `AllowLocalPolicyMerge`: whether the rules of this PC count in addition to those of the network's administrator.
    pub(super) has_local_rules: bool,
}

/// The rules in the registry.
#[derive(Debug, Default)]
pub(super) struct FirewallRules {
    /// The rules of this PC.
    pub(super) local: Vec<String>,
    /// The rules of the network's administrator.
    pub(super) prescribed: Vec<String>,
}

/// Who listens where.
pub(super) struct ListeningProgram<'a> {
    /// The port.
    pub(super) port: u16,
    /// The path of this program, as it was started.
    pub(super) program: &'a str,
    /// The path without links. Package managers start a program by a link, and rules may name either.
    pub(super) resolved: &'a str,
    /// The value of an environment variable, for paths such as `%SystemDrive%\udpcli.exe`.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The result for a first datagram in a network of this profile.
pub(super) fn verdict(
    settings: ProfileSettings,
    rules: &FirewallRules,
    listener: &ListeningProgram<'_>,
) -> FirewallVerdict {
    let by = Firewall::Windows;
    if !settings.is_on {
        return FirewallVerdict::Off;
    }
    let profile = settings.profile.name();
    // Check this before the rules, because it makes Windows ignore rules that allow.
    if let Some(made_by) = settings.blocks_all {
        let command =
            "netsh advfirewall set currentprofile firewallpolicy blockinbound,allowoutbound";
        return FirewallVerdict::Blocked(DropReason {
            by,
            rule: format!("{profile}: {BLOCKS_ALL}"),
            command: (made_by == MadeBy::ThisPc).then(|| command.to_owned()),
        });
    }
    let (mut may_block, mut allows) = (false, Match::No);
    let prescribed = rules.prescribed.iter();
    let prescribed = prescribed.map(|text| (text, MadeBy::Administrator));
    let local = settings.has_local_rules.then_some(&rules.local);
    let local = local.into_iter().flatten();
    let local = local.map(|text| (text, MadeBy::ThisPc));
    for (text, made_by) in prescribed.chain(local) {
        let Some(rule) = RuleFields::parse(text) else {
            continue;
        };
        match (rule.matches(settings.profile, listener), rule.action) {
            (Match::No, _) => {}
            // A rule that blocks beats every rule that allows.
            (Match::Yes, RuleAction::Block) => {
                return FirewallVerdict::Blocked(DropReason {
                    by,
                    command: (made_by == MadeBy::ThisPc).then(|| rule.command_to_remove(listener)),
                    rule: rule.name.to_owned(),
                });
            }
            (Match::Maybe, RuleAction::Block) => may_block = true,
            (found, RuleAction::Allow) => allows = allows.max(found),
        }
    }
    let partly = FirewallVerdict::Partly {
        by,
        is_prescribed: !settings.has_local_rules,
    };
    match allows {
        // As above: if such a rule does block, no rule that allows helps.
        _ if may_block => partly,
        Match::Yes => FirewallVerdict::Allowed(by),
        _ if !settings.blocks => FirewallVerdict::Allowed(by),
        Match::Maybe => partly,
        // The answer to Windows' question becomes a rule of this PC.
        Match::No if settings.asks && settings.has_local_rules => FirewallVerdict::Asks(by),
        Match::No => FirewallVerdict::Blocked(DropReason {
            by,
            rule: format!("{profile}: {BY_DEFAULT}"),
            command: settings
                .has_local_rules
                .then(|| by.command_to_allow(listener.port)),
        }),
    }
}

/// What a rule does with a matching datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleAction {
    /// The datagram comes in.
    Allow,
    /// The datagram is dropped, whatever other rules say.
    Block,
}

/// A rule's fields.
struct RuleFields<'a> {
    /// What it does.
    action: RuleAction,
    /// Its name for people.
    name: &'a str,
    /// All fields; one may come several times.
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> RuleFields<'a> {
    /// Parses an active rule for incoming datagrams.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('|');
        let version = parts.next()?;
        if !version.starts_with(['v', 'V']) {
            return None;
        }
        let fields: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let value = |wanted: &str| {
            let found = fields
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| *value)
        };
        let is = |key: &str, wanted: &str| {
            value(key).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        };
        if !is("Active", "TRUE") || !is("Dir", "In") {
            return None;
        }
        let action = if is("Action", "Block") {
            RuleAction::Block
        } else if is("Action", "Allow") {
            RuleAction::Allow
        } else {
            return None;
        };
        let name = value("Name").unwrap_or_default();
        Some(Self {
            action,
            name,
            fields,
        })
    }

    /// All values of a field.
    fn values(&self, wanted: &str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| *value)
    }

    /// A condition that holds if the rule lacks the field, or one of its values fits.
    fn any(&self, field: &str, fits: impl Fn(&str) -> bool) -> Match {
        let mut values = self.values(field).peekable();
        Match::of(values.peek().is_none() || values.any(fits))
    }

    /// Whether the rule has this field.
    fn has(&self, field: &str) -> bool {
        self.values(field).next().is_some()
    }

    /// Whether the rule matches a first datagram to the listener.
    fn matches(&self, profile: Profile, listener: &ListeningProgram<'_>) -> Match {
        // Rules for services and for packages from the store are for other programs.
        if ["Svc", "AppPkgId", "PFN"]
            .iter()
            .any(|field| self.has(field))
        {
            return Match::No;
        }
        let conditions = [
            // UDP is protocol 17; a rule without a protocol is for all.
            self.any("Protocol", |value| value == "17"),
            self.any("Profile", |value| {
                value.eq_ignore_ascii_case(profile.name())
            }),
            self.any("App", |value| is_program(value, listener)),
            self.port(listener.port),
            self.senders(),
        ];
        let least = conditions.into_iter().min().unwrap_or(Match::No);
        // Conditions that cannot be checked here.
        let unknown = [
            "RPort", "LA4", "IF", "IFType", "LUAuth", "RUAuth", "LUOwn", "Security",
        ];
        if unknown.iter().any(|field| self.has(field)) {
            return least.min(Match::Maybe);
        }
        least
    }

    /// `LPort=6000`, `LPort=5000-7000`, or in newer versions `LPort2_10=5000-7000`.
    fn port(&self, port: u16) -> Match {
        let mut ports = self
            .values("LPort")
            .chain(self.values("LPort2_10"))
            .flat_map(|ports| ports.split(','))
            .peekable();
        if ports.peek().is_none() {
            return Match::Yes;
        }
        Match::of(ports.any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.trim().parse::<u16>().ok();
            number(first).is_some_and(|first| first <= port)
                && number(last).is_some_and(|last| port <= last)
        }))
    }

    /// The board is on the local subnet.
    fn senders(&self) -> Match {
        let v4 = ["RA4", "RA42"];
        let mut values = v4.iter().flat_map(|field| self.values(field)).peekable();
        if values.peek().is_none() {
            // A rule for IPv6 senders only.
            return Match::of(!self.has("RA6") && !self.has("RA62"));
        }
        if values.any(|value| value.eq_ignore_ascii_case("LocalSubnet") || value == "*") {
            Match::Yes
        } else {
            Match::Maybe
        }
    }

    /// The command that removes a blocking rule. It removes all rules that Windows made for this program, so that
    /// Windows asks again.
    fn command_to_remove(&self, listener: &ListeningProgram<'_>) -> String {
        if let Some(program) = self.values("App").next() {
            let program = expanded(program, listener.variable);
            return format!(
                "netsh advfirewall firewall delete rule name=all dir=in program=\"{program}\""
            );
        }
        let name = self.name;
        format!("netsh advfirewall firewall set rule name=\"{name}\" dir=in new enable=no")
    }
}

/// Whether the path is this program's, with environment variables and in any case.
fn is_program(path: &str, listener: &ListeningProgram<'_>) -> bool {
    let path = expanded(path, listener.variable);
    let plain = |path: &str| {
        // Windows reports a program's path in the form in which it was started, which may be this one
        // (`GetModuleFileName`).
        let path = path.strip_prefix(r"\\?\").unwrap_or(path);
        path.replace('/', r"\").to_lowercase()
    };
    let path = plain(&path);
    path == plain(listener.program) || path == plain(listener.resolved)
}

/// Replaces `%NAME%` by the variable's value, and leaves unknown names as they are.
fn expanded(path: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let named = after
            .split_once('%')
            .and_then(|(name, after)| Some((variable(name)?, after)));
        rest = match named {
            Some((value, after)) => {
                out.push_str(&value);
                after
            }
            None => {
                out.push('%');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// When a network was connected last: a SYSTEMTIME, eight little-endian numbers of 16 bits. The weekday does not count.
pub(super) fn last_connected(bytes: &[u8]) -> Option<[u16; 7]> {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)))
        .collect();
    match words[..] {
        [year, month, _, day, hour, minute, second, milli] => {
            Some([year, month, day, hour, minute, second, milli])
        }
        _ => None,
    }
}

/// The verdict in the network that was connected last, or in all kinds of network where that is unknown.
pub(super) fn overall(
    current: Option<Profile>,
    settings: &[ProfileSettings],
    rules: &FirewallRules,
    listener: &ListeningProgram<'_>,
) -> FirewallVerdict {
    let mut verdicts = settings
        .iter()
        .filter(|settings| current.is_none_or(|profile| profile == settings.profile))
        .map(|settings| verdict(*settings, rules, listener));
    let Some(first) = verdicts.next() else {
        return FirewallVerdict::Unknown(Some(Firewall::Windows));
    };
    if verdicts.all(|verdict| std::mem::discriminant(&verdict) == std::mem::discriminant(&first)) {
        first
    } else {
        FirewallVerdict::Unknown(Some(Firewall::Windows))
    }
}

#[cfg(test)]
mod tests;
