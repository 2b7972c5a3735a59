//! Runs the steps with one board, in order.
//!
//! Long because one type holds the test's state, and each step changes it.

mod clean_up;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use serde_json::json;

use crate::board::error::Error as BoardError;
use crate::board::info::Info;
use crate::board::link::Link;
use crate::board::model::Model;
use crate::board::repl::Repl;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::failure::{fail, trouble_of};
use crate::pair::measure::MeasurementContext;
use crate::pair::results::{BoardReport, Finding, Step, StepNote, StepResult, Verdict};
use crate::pair::sockets::{self, Arrived, Inboxes};
use crate::pair::watch::{self, RoundResults};
use crate::pair::wifi::Online;
use crate::pair::{PairNetwork, PairPlan, oled, silent, traffic, udp_port_owner, wifi};
use crate::shutdown::Shutdown;
use crate::text::sentence::{Sentence, sentence};

use clean_up::clean_up;

/// Called at the end of each step.
pub(crate) type OnStep<'a> = &'a mut dyn FnMut(&StepResult);

/// Called after each round of a watch.
pub(crate) type OnRound<'a> = &'a mut dyn FnMut(RoundResults);

/// What the tests of all boards share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestContext<'a> {
    /// What to test.
    pub(crate) plan: &'a PairPlan,
    /// The PC's sockets.
    pub(crate) inboxes: &'a Inboxes,
    /// Ctrl-C.
    pub(crate) shutdown: &'a Shutdown,
}

/// Tests one board. `open` opens its serial port, called `name`.
///
/// Every exit leaves the board at its prompt, with an unchanged file system.
pub(crate) fn run(
    context: TestContext<'_>,
    name: &str,
    open: impl FnOnce() -> Result<Link, BoardError>,
    on_step: OnStep<'_>,
) -> BoardReport {
    go(context, name, open, on_step, None)
}

/// Runs the first four steps with one board, then rounds of traffic until Ctrl-C or a failure, then the clean-up.
pub(super) fn watch<'a>(
    context: TestContext<'a>,
    name: &str,
    open: impl FnOnce() -> Result<Link, BoardError>,
    on_step: OnStep<'a>,
    on_round: OnRound<'a>,
) -> BoardReport {
    go(context, name, open, on_step, Some(on_round))
}

/// Opens the port, runs the steps, and skips those that became pointless.
fn go<'a>(
    context: TestContext<'a>,
    name: &str,
    open: impl FnOnce() -> Result<Link, BoardError>,
    on_step: OnStep<'a>,
    on_round: Option<OnRound<'a>>,
) -> BoardReport {
    let mut run = PairTest {
        plan: context.plan,
        inboxes: context.inboxes,
        on_round,
        begin: Instant::now(),
        steps: Vec::new(),
        on_step,
    };
    let mut result = StepResult::new(Step::Serial, sentence!("pair.serial-tried", port = name));
    let start = Instant::now();
    match open().and_then(|link| {
        let baud = link.address().baud;
        Repl::enter(link).map(|repl| (repl, baud))
    }) {
        Ok((repl, baud)) => {
            let entered = repl.entered();
            result.see(match (entered.reset, entered.stopped_program) {
                (true, _) => sentence!("pair.serial-answers-after-reset"),
                (_, true) => sentence!("pair.serial-answers-program-stopped"),
                _ => sentence!("pair.serial-answers"),
            });
            result.figures = json!({"baud": baud, "stopped_program": entered.stopped_program, "reset": entered.reset});
            run.end(result, start);
            run.with_board(BoardSession::new(repl, context.shutdown.clone()));
        }
        Err(error) => {
            fail(&mut result, error.into());
            run.end(result, start);
        }
    }
    // A report has all steps, so that programs need not know which steps a failure skips.
    run.skip_rest();
    BoardReport {
        port: name.to_owned(),
        steps: run.steps,
        time: run.begin.elapsed(),
    }
}

/// The test of one board.
struct PairTest<'a> {
    /// What to test.
    plan: &'a PairPlan,
    /// This PC's receiving sockets.
    inboxes: &'a Inboxes,
    /// When the test began.
    begin: Instant,
    /// The results so far.
    steps: Vec<StepResult>,
    /// Gets each result.
    on_step: OnStep<'a>,
    /// Gets each round of a watch; `None` for a single test.
    on_round: Option<OnRound<'a>>,
}

/// What the test did to the board's radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Radio {
    /// Nothing.
    #[default]
    AsItWas,
    /// The test connected the board to a Wi-Fi.
    Joined,
    /// The test made the board an access point.
    AccessPoint,
}

/// What the clean-up has to restore.
#[derive(Debug, Default)]
struct Touched {
    /// The board's radio.
    radio: Radio,
    /// The free bytes of the file system before the test.
    files_free: Option<i64>,
}

impl PairTest<'_> {
    /// Reports a step and keeps its result.
    fn end(&mut self, mut result: StepResult, start: Instant) {
        result.time = start.elapsed();
        (self.on_step)(&result);
        self.steps.push(result);
    }

    /// Whether the remaining steps are pointless: after Ctrl-C, a lost serial line or a restart of the board.
    fn is_over(&self) -> bool {
        self.steps.last().is_some_and(|last| {
            last.verdict == Verdict::Interrupted
                || last.findings.iter().any(|finding| {
                    matches!(
                        finding.diagnosis,
                        Diagnosis::SerialLost
                            | Diagnosis::BoardRestarted
                            | Diagnosis::BrownOut
                            | Diagnosis::BoardPanic
                            | Diagnosis::FirmwareDamaged
                            | Diagnosis::NoFirmware
                    )
                })
        })
    }

    /// Gives each step without a result one that says why it was skipped.
    fn skip_rest(&mut self) {
        let is_interrupted = self
            .steps
            .iter()
            .any(|step| step.verdict == Verdict::Interrupted);
        for step in Step::ALL {
            if !self.steps.iter().any(|result| result.step == step) {
                self.end(
                    StepResult::skipped(step, why_skipped(is_interrupted)),
                    Instant::now(),
                );
            }
        }
        // The clean-up ran before the skipped ones were added.
        self.steps.sort_by_key(|result| result.step);
    }

    /// Runs the steps on a board that has answered, then the clean-up.
    fn with_board(&mut self, mut session: BoardSession) {
        let mut touched = Touched::default();
        self.with_program(&mut session, &mut touched);
        let is_interrupted = session.shutdown.is_asked();
        for step in Step::ALL {
            if step != Step::CleanUp && !self.steps.iter().any(|result| result.step == step) {
                self.end(
                    StepResult::skipped(step, why_skipped(is_interrupted)),
                    Instant::now(),
                );
            }
        }
        let start = Instant::now();
        // Always run the clean-up, whatever failed before: udpcli must leave the board as it found it.
        let result = clean_up(session, &touched);
        self.end(result, start);
    }

    /// The steps between the serial line and the clean-up. Records in `touched` what it changes on the board.
    fn with_program(&mut self, session: &mut BoardSession, touched: &mut Touched) {
        let Some(info) = self.firmware(session, touched) else {
            return;
        };
        let Some(online) = self.wifi(session, touched) else {
            return;
        };
        let Some((mut context, arrivals)) = self.addresses(&online) else {
            return;
        };
        context.is_board_3 = info.model() == Some(Model::Mpython3);
        if let Some(on_round) = self.on_round.take() {
            let start = Instant::now();
            if let Some(result) = watch::rounds(
                self.plan,
                session,
                &mut context,
                arrivals.as_ref(),
                (online.rssi, info.is_mpython()),
                on_round,
            ) {
                self.end(result, start);
            }
            return;
        }
        traffic::traffic(self, session, &mut context, arrivals.as_ref(), &online);
        if self.is_over() {
            return;
        }
        if !info.is_mpython() {
            self.end(
                StepResult::skipped(Step::Oled, sentence!("pair.oled-none-in-firmware")),
                Instant::now(),
            );
            return;
        }
        // The OLED shows the text of a datagram, so without a datagram there is nothing to judge.
        if self.reaches_no_board() {
            self.end(
                StepResult::skipped(Step::Oled, sentence!("pair.no-datagram-reaches-board")),
                Instant::now(),
            );
            return;
        }
        let shown = self.plan.text.escape_debug();
        let mut result = StepResult::new(Step::Oled, sentence!("pair.oled-tried", text = shown));
        let start = Instant::now();
        if let Err(trouble) = oled::step(session, self.plan, &mut context, &mut result) {
            trouble_of(&mut result, trouble, context.board_port);
        }
        self.end(result, start);
    }

    /// Identifies the board; `None` if it does not answer.
    fn firmware(&mut self, session: &mut BoardSession, touched: &mut Touched) -> Option<Info> {
        let start = Instant::now();
        let mut result = StepResult::new(Step::Firmware, sentence!("pair.firmware-tried"));
        let info = if session.shutdown.is_asked() {
            Err(SessionError::Interrupted)
        } else {
            Info::ask(&mut session.repl).map_err(SessionError::from)
        };
        let info = match info {
            Ok(info) => {
                // Compare this at the end: the test must not leave a file.
                touched.files_free = info.number("files_free");
                let text = |key: &str| info.text(key).unwrap_or("?").to_owned();
                result.see(if info.model() == Some(Model::Mpython3) {
                    sentence!(
                        "boards.firmware-seen-3",
                        board => sentence!("boards.mpython-3"),
                        version = text("version"),
                        machine = text("machine")
                    )
                } else {
                    sentence!(
                        "pair.firmware-seen",
                        version = text("version"),
                        machine = text("machine")
                    )
                });
                result.figures = json!({
                    "version": info.text("version"),
                    "machine": info.text("machine"),
                    "mac": info.text("mac"),
                    "memory_free": info.number("memory"),
                    "mpython": info.is_mpython(),
                    "model": info.model().map(Model::name),
                });
                if !info.is_mpython() {
                    result.warn(Finding::plain(Diagnosis::NotMpython));
                }
                match silent::main_has_ended(session) {
                    // An exception on the board here says nothing about the network.
                    Ok(false) | Err(SessionError::Died(_)) => Some(info),
                    Ok(true) => {
                        result.warn(Finding::with(
                            Diagnosis::BoardProgramSilentEnd,
                            sentence!("pair.main-has-ended"),
                        ));
                        Some(info)
                    }
                    Err(failure) => {
                        fail(&mut result, failure);
                        None
                    }
                }
            }
            Err(failure) => {
                fail(&mut result, failure);
                None
            }
        };
        self.end(result, start);
        info
    }

    /// Brings the board into the network; `None` if it has no connection.
    fn wifi(&mut self, session: &mut BoardSession, touched: &mut Touched) -> Option<Online> {
        let start = Instant::now();
        let mut result = StepResult::new(Step::Wifi, StepNote::Nothing);
        // Assume the change from here on: even if the call fails, the board may have made it.
        touched.radio = match self.plan.network {
            PairNetwork::Current => Radio::AsItWas,
            PairNetwork::Join(_) => Radio::Joined,
            PairNetwork::BoardAp(_) => Radio::AccessPoint,
        };
        let online = match wifi::step(session, &self.plan.network, &mut result) {
            Ok((online, has_to_leave)) => {
                if !has_to_leave {
                    touched.radio = Radio::AsItWas;
                }
                online
            }
            Err(failure) => {
                fail(&mut result, failure);
                None
            }
        };
        self.end(result, start);
        online
    }

    /// Finds the board's address and ours, and opens our socket; there is no socket if another program uses the port.
    fn addresses(
        &mut self,
        online: &Online,
    ) -> Option<(MeasurementContext, Option<Receiver<Arrived>>)> {
        let start = Instant::now();
        let plan = self.plan;
        let mut result = StepResult::new(
            Step::Addresses,
            sentence!("pair.addresses-tried", board = &online.address),
        );
        let found = self.find_addresses(online, &mut result);
        let found = found.map(|(board, facing, arrivals, token)| {
            (
                MeasurementContext {
                    board,
                    board_port: plan.board_port,
                    facing,
                    port: plan.port,
                    sizes: plan.sizes.clone(),
                    count: plan.count,
                    interval: plan.interval,
                    token,
                    phase: 0,
                    is_board_3: false,
                },
                arrivals,
            )
        });
        self.end(result, start);
        found
    }

    /// The board's address, this PC's side of the path, the datagrams that arrive, and the run's token.
    #[expect(clippy::type_complexity, reason = "taken apart by the one caller")]
    fn find_addresses(
        &mut self,
        online: &Online,
        result: &mut StepResult,
    ) -> Option<(
        Ipv4Addr,
        sockets::Facing,
        Option<Receiver<Arrived>>,
        [u8; 4],
    )> {
        let plan = self.plan;
        let Ok(board) = online.address.parse::<Ipv4Addr>() else {
            let address = format!("{:?}", online.address);
            result.see(sentence!("pair.address-unreadable", address = address));
            result.fail(Finding::plain(Diagnosis::WifiTimeout));
            return None;
        };
        // The board reports 0.0.0.0 while it has no address.
        if board.is_unspecified() {
            result.see(sentence!("pair.address-none-given"));
            result.fail(Finding::plain(Diagnosis::WifiTimeout));
            return None;
        }
        let facing = match sockets::facing(board, plan.board_port) {
            Ok(facing) => facing,
            Err(error) => {
                result.see(sentence!(
                    "pair.addresses-none-here",
                    board = board,
                    error = error
                ));
                result.fail(Finding::plain(Diagnosis::NoRoute));
                return None;
            }
        };
        let local = SocketAddrV4::new(facing.local, plan.port);
        result.see(match &facing.interface {
            Some(found) => sentence!(
                "pair.addresses-seen-on",
                board = board,
                pc = facing.local,
                interface = &found.name,
                prefix = found.prefix
            ),
            None => sentence!("pair.addresses-seen", board = board, pc = facing.local),
        });
        result.figures = json!({
            "board": board.to_string(),
            "netmask": online.netmask,
            "gateway": online.gateway,
            "pc": facing.local.to_string(),
            "interface": facing.interface.as_ref().map(|found| found.name.clone()),
            "same_network": facing.interface.as_ref().map(|found| found.has_board),
        });
        if facing
            .interface
            .as_ref()
            .is_some_and(|found| !found.has_board)
        {
            result.note(sentence!("pair.addresses-different-networks"));
        }
        // Subscribe before the board is asked to send anything: datagrams that nobody waits for are dropped.
        let token = token();
        let arrivals = match self.inboxes.subscribe(local, board, token) {
            Ok(arrivals) => {
                result.note(sentence!("pair.addresses-listening", local = local));
                Some(arrivals)
            }
            Err(error) => {
                let is_taken = error.kind() == std::io::ErrorKind::AddrInUse;
                let owner = udp_port_owner::of(*local.ip(), local.port());
                let detail = match owner {
                    Some(owner) => sentence!(
                        "pair.port-owner",
                        port = local.port(),
                        program = owner.name,
                        process = owner.process
                    ),
                    None => sentence!("pair.port-cannot-bind", local = local, error = error),
                };
                result.fail(Finding::with(
                    if is_taken {
                        Diagnosis::PcPortInUse
                    } else {
                        Diagnosis::PcPortRefused
                    },
                    detail,
                ));
                None
            }
        };
        Some((board, facing, arrivals, token))
    }

    /// Whether no datagram of the PC reached the board, or the PC could not send.
    fn reaches_no_board(&self) -> bool {
        self.steps
            .iter()
            .filter(|result| result.step == Step::PcToBoard && result.verdict == Verdict::Failed)
            .any(|result| {
                let received = result.figures.get("received");
                received.and_then(serde_json::Value::as_u64).unwrap_or(0) == 0
            })
    }
}

impl traffic::StepCollector for PairTest<'_> {
    fn end_step(&mut self, result: StepResult, start: Instant) {
        self.end(result, start);
    }

    fn plan(&self) -> &PairPlan {
        self.plan
    }

    fn must_stop(&self) -> bool {
        self.is_over()
    }
}

/// The reason for a skipped step.
fn why_skipped(is_interrupted: bool) -> Sentence {
    if is_interrupted {
        sentence!("pair.stopped")
    } else {
        sentence!("pair.skipped-after-failure")
    }
}

/// Four random bytes that identify this run, from a hasher's random keys.
fn token() -> [u8; 4] {
    use std::hash::{BuildHasher as _, Hasher as _};
    let [a, b, c, d, ..] = std::hash::RandomState::new()
        .build_hasher()
        .finish()
        .to_ne_bytes();
    [a, b, c, d]
}
