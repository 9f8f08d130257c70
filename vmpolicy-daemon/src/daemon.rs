//! The daemon put together: a policy file, a state, and the ports that they name.

pub mod restore;
mod shift;
mod state;

use crate::actuator::{DryActuator, DryLocator, EMBEDDED_MOVE, Embedded, Gate, Shadow};
use crate::agent::{
    Clock, Driver, Event, Hands, Identity, Lines, MakeProbe, SystemClock, WiredActuator, WiredArrivals,
    WiredProbe, Wiring, run, turn,
};
use crate::board::Board;
use crate::config::{Config, ConfigError};
use crate::control::{Asker, Client, Desk, Hello, Request, STATUS, SocketError, Sockets, Told};
use crate::hook::Arrivals;
use crate::inputs::InputLog;
use crate::kept::{Kept, KeptError};
use crate::memory::{GiveBack, Thrift};
use crate::metrics::Published;
use crate::records::{self, Delivered, Drains, Records, RecordsError};
use crate::store::{Kind, OpenError};
use crate::systemd::{self, Pulse};
use crate::zones::SystemZones;
use crate::{actuator, hook, locator, probe, queue};
use restore::{Trust, restore, say_lost};
use shift::Shift;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender};
use vmpolicy_core::file::{ActuatorSpec, LocatorSpec, MetricsSpec, RecordPlace, StateSpec};
use vmpolicy_core::id::{HostId, Id};
use vmpolicy_core::input::{Absence, Setup, Word};
use vmpolicy_core::ports::{Locator, Probe};
use vmpolicy_core::{Input, Policy};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    /// The policy file.
    pub config: PathBuf,
    /// Decide and record, ask for nothing.
    pub dry_run: bool,
    /// The state's folder.
    pub state: PathBuf,
    /// The folder of the control sockets.
    pub control: PathBuf,
    /// Where records go beside the places of the policy file; `-` is standard output.
    pub records: Option<PathBuf>,
    /// Where inputs go, if they are kept.
    pub inputs: Option<PathBuf>,
    /// How memory that only the beginning needed is given back, if it is.
    pub give_back: Option<GiveBack>,
}

/// Why the daemon could not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The policy file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state's folder.
    #[error("the state's folder can't be used: {0}")]
    State(#[from] OpenError),
    /// The state on a server.
    #[error("the state can't be had from {0}")]
    Remote(#[from] KeptError),
    /// The records.
    #[error("records can't be kept: {0}")]
    Records(#[from] RecordsError),
    /// Another daemon acts for the guest.
    #[error("another vmpolicyd acts for the guest `{guest}`: process {pid}")]
    Second {
        /// The guest.
        guest: String,
        /// Its process.
        pid: u32,
    },
    /// The inputs.
    #[error("can't open {}: {source}", path.display())]
    Inputs {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The end.
    #[error("can't write the last state or records: {0}")]
    Finish(io::Error),
}

/// Runs until `events` says stop. `sender` is the other end of `events`, for the ports' threads.
///
/// # Errors
///
/// Where it can't begin, or can't end with everything written.
pub fn serve(options: &Options, sender: Sender<Event>, events: &Receiver<Event>) -> Result<(), DaemonError> {
    let zones = SystemZones::default();
    let config = Config::read(&options.config, &zones)?;
    let gate = Gate::of_file(options.dry_run, &config.shell);
    let Some(store) = state::open(options, &config, kind(gate), events)? else {
        tracing::info!("stopped");
        return Ok(());
    };
    let journal = Records::open(record_settings(options), places(&config))?;
    let inputs = options.inputs.as_deref().map(|path| {
        InputLog::open(path).map_err(|source| DaemonError::Inputs { path: path.to_path_buf(), source })
    });
    let inputs = inputs.transpose()?;

    say_hello(options, &config, gate, &zones);
    let asker = Asker::new(sender.clone());
    let mut clock = SystemClock;
    let mut desk = Desk::new(&config.guest, &options.config, gate, &config.policy, Clock::now(&mut clock));
    let _sockets = sockets(options, &config.guest, gate, &asker)?;
    let mut published = Published::default();
    if let Err(error) = published.change(metrics_of(&config), &asker) {
        tracing::error!("no metrics: {error}");
    }
    let mut office = Office {
        options,
        asker,
        sender,
        desk: &mut desk,
        published,
        pulse: Pulse::of_systemd(),
        thrift: Thrift::new(options.give_back),
        state: state::place(&config),
    };
    let mut next = Some(Beginning { config, store, journal, inputs, here: None, hold: None });
    while let Some(beginning) = next {
        next = live(&mut office, beginning, &mut clock, events)?;
        forget_ports(&office.sender, events);
    }
    systemd::stopping();
    tracing::info!("stopped");
    Ok(())
}

/// What outlives a new beginning.
struct Office<'a> {
    options: &'a Options,
    asker: Asker,
    sender: Sender<Event>,
    desk: &'a mut Desk,
    published: Published,
    pulse: Pulse,
    thrift: Thrift,
    /// Where the state is kept beside the folder.
    state: Option<StateSpec>,
}

/// What a life of the daemon begins with: the first, or another one in the same process, as with a new process but for the
/// sockets, the history and what was counted.
struct Beginning {
    config: Config,
    store: Kept,
    journal: Records,
    inputs: Option<InputLog>,
    /// Where the guest is known to be, for one that will only believe.
    here: Option<String>,
    /// What an operator has said in the life before.
    hold: Option<Word>,
}

/// Lives until it is told to stop, or to begin anew.
fn live(
    office: &mut Office<'_>,
    beginning: Beginning,
    clock: &mut SystemClock,
    events: &Receiver<Event>,
) -> Result<Option<Beginning>, DaemonError> {
    let Beginning { config, mut store, journal, inputs, here: known, hold } = beginning;
    let gate = Gate::of_file(office.options.dry_run, &config.shell);
    let (mut engine, trust) = restore(&config, &mut store, Clock::now(clock).wall);
    let lost = trust.holds(hold, store.kind());
    let hold = trust.or_longer(hold, &config, store.kind());
    if let Some(Word::Hold(lasts)) = hold {
        // Before its first step, which may ask for something already.
        engine.hold(Clock::now(clock), lasts);
    }
    let here = engine.location().map(|host| engine.policy().hosts()[host].name.clone());
    let plan = Plan::of(&config, gate);
    let mut setup = plan.setup(&config, trust);
    setup.at = known.and_then(|host| config.policy.host_named(&host)).or(setup.at);
    if setup.at.is_none() && !setup.locates && here.is_none() {
        say_lost(trust, &store);
    }
    let place = office.options.state.join(hook::PLACE);
    let board = office.desk.board().clone();
    let shop = queue::Shop::beside(&office.options.state, board.clone());
    let station = Station { plan, shadow: Shadow::at(here.clone()), place, shop, board };
    let mut hands = Hands::new(config.guest.clone(), office.sender.clone(), SystemClock::monotonic);
    hands.wire(station.wiring(&config, here.as_deref(), journal.drains()));
    let guest = config.guest.clone();
    let identity = Identity { guest: guest.clone(), dry_run: gate.is_dry() };
    let mut driver = Driver::new(engine, store, Lines::new(identity, journal).with_inputs(inputs), hands);
    let now = Clock::now(clock);
    office.desk.begin(gate, driver.engine(), now);
    office.desk.adopt_ports(&config.shell, &config.policy);
    if lost {
        office.desk.holds_for_lost_state(now.wall);
    }
    office.thrift.begun();
    let mut shift = Shift::new(office, station);
    turn(&mut driver, &mut shift, now, &Input::Start(setup));
    systemd::ready(&guest);
    if let Some(word) = hold {
        turn(&mut driver, &mut shift, Clock::now(clock), &Input::Operator(word));
    }
    run(&mut driver, clock, events, &mut shift).map_err(DaemonError::Finish)?;
    let drains = driver.journal().sink().drains();
    let next = shift.into_next(driver);
    if next.is_none() {
        drains.linger();
    }
    Ok(next)
}

/// What ports have said to the life before is nothing to the next one: its requests are others under the same numbers. What
/// a person wants is kept.
fn forget_ports(sender: &Sender<Event>, events: &Receiver<Event>) {
    let waiting: Vec<Event> = events.try_iter().collect();
    for event in waiting {
        if matches!(event, Event::Asked(_) | Event::Reload | Event::Stop) {
            // The other end is here.
            let _ = sender.send(event);
        }
    }
}

const fn kind(gate: Gate) -> Kind {
    if gate.is_dry() { Kind::Dry } else { Kind::Live }
}

/// What is kept for collectors by a dry run beside the daemon is its own.
fn record_settings(options: &Options) -> records::Settings {
    let spools = options.state.join(if options.dry_run { "dry-run.spool" } else { "spool" });
    records::Settings::new(options.records.clone(), spools)
}

fn places(config: &Config) -> impl Iterator<Item = &RecordPlace> {
    config.shell.records.iter().map(|located| &located.value)
}

fn metrics_of(config: &Config) -> Option<&MetricsSpec> {
    config.shell.metrics.as_ref().map(|located| &located.value)
}

/// The control sockets. A guest is looked after without them, too; but not by two daemons.
fn sockets(
    options: &Options,
    guest: &str,
    gate: Gate,
    asker: &Asker,
) -> Result<Option<Sockets>, DaemonError> {
    let error = match Sockets::open(&options.control, asker) {
        Ok(sockets) => return Ok(Some(sockets)),
        Err(error) => error,
    };
    if let SocketError::InUse(dir) = &error
        && !gate.is_dry()
    {
        let hello = Client::connect(&dir.join(STATUS))
            .and_then(|mut client| client.ask::<Hello>(&Request::Hello {}, "hello"));
        if let Ok(Told { value: Hello { guest: theirs, mode, pid, .. }, .. }) = hello
            && theirs == guest
            && mode == Gate::Open.name()
        {
            return Err(DaemonError::Second { guest: theirs, pid });
        }
    }
    tracing::warn!("no control sockets, so `vmpolicy status` and the like can't reach this daemon: {error}");
    Ok(None)
}

fn say_hello(options: &Options, config: &Config, gate: Gate, zones: &SystemZones) {
    let file = options.config.display();
    tracing::info!(guest = %config.guest, "vmpolicyd {}: {}", env!("CARGO_PKG_VERSION"), config.files.join(", "));
    match gate {
        Gate::Open => {}
        Gate::DryRun => {
            tracing::warn!("dry run: moves are decided, recorded and believed, none is asked for")
        }
        Gate::Observe => tracing::warn!(
            "{file} says `mode: observe`: moves are decided, recorded and believed, none is asked for"
        ),
        Gate::NoActuator => tracing::warn!(
            "{file} has no `actuator`: as with --dry-run, moves are decided, recorded and believed, none is asked for"
        ),
    }
    for (zone, origin) in zones.used() {
        tracing::info!("zone {zone}: {origin}");
    }
    say_doubts(config);
}

/// What is unwise, and what the policy reads and this program does not feed.
fn say_doubts(config: &Config) {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    for (id, indicator) in config.policy.indicators().iter() {
        if config.shell.probes.get(id.index()).is_none_or(Option::is_none) {
            tracing::warn!(indicator = %indicator.name, "it has no probe, so it stays unknown");
        }
    }
}

fn has_locator(config: &Config) -> bool {
    matches!(Plan::locating(config), Locating::Looks)
}

/// How the location comes to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locating {
    /// It is looked up.
    Looks,
    /// Moves are believed.
    Believes,
}

/// What can't change while the daemon runs: the engine was told of it when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    gate: Gate,
    locating: Locating,
    resends: bool,
}

impl Plan {
    fn of(config: &Config, gate: Gate) -> Self {
        let resends = match config.shell.actuator.as_ref().map(|located| &located.value) {
            // A dry actuator starts no move, however often it is told to.
            _ if gate.is_dry() => true,
            Some(spec) => actuator::resends(spec),
            None => false,
        };
        Self { gate, locating: Self::locating(config), resends }
    }

    fn locating(config: &Config) -> Locating {
        match config.shell.locator.as_ref().map(|located| &located.value) {
            Some(LocatorSpec::Assume(_)) => Locating::Believes,
            Some(_) => Locating::Looks,
            // The embedded array knows where its guest is.
            None if is_embedded(config) => Locating::Looks,
            None => Locating::Believes,
        }
    }

    /// What the engine is told at the start.
    fn setup(self, config: &Config, trust: Trust) -> Setup {
        let assumed = match config.shell.locator.as_ref().map(|located| &located.value) {
            // What the file assumes was true before the first move, and the state is lost that knew more.
            Some(LocatorSpec::Assume(host)) if trust == Trust::Sound => config.policy.host_named(host),
            _ => None,
        };
        Setup { at: assumed, locates: self.locating == Locating::Looks, resends: self.resends }
    }
}

fn is_embedded(config: &Config) -> bool {
    matches!(config.shell.actuator.as_ref().map(|located| &located.value), Some(ActuatorSpec::Embedded))
}

/// Where the ports come from, at the start and at each reload.
struct Station {
    plan: Plan,
    shadow: Shadow,
    /// The file that says where the hook on arrival was last run.
    place: PathBuf,
    shop: queue::Shop,
    board: Board,
}

impl Station {
    /// The ports that a policy file names. `here` is where the guest is, where that is known.
    fn wiring(&self, config: &Config, here: Option<&str>, drains: Drains) -> Wiring {
        let embedded = Embedded::new(here.map_or_else(|| start_of(config), str::to_owned), EMBEDDED_MOVE);
        let mut locator: Option<Box<dyn Locator>> = match &config.shell.locator {
            Some(located) => locator::make(&located.value, &config.guest, self.board.locator.clone()),
            None if is_embedded(config) => Some(Box::new(embedded.locator())),
            None => None,
        };
        let believes = self.plan.locating == Locating::Believes;
        let actuator = match config.shell.actuator.as_ref().map(|located| &located.value) {
            Some(spec) if !self.plan.gate.is_dry() => {
                actuator::make(spec, believes).unwrap_or_else(|| WiredActuator::new(embedded.actuator()))
            }
            _ => {
                locator = locator.map(|real| Box::new(DryLocator::new(self.shadow.clone(), real)) as _);
                WiredActuator::new(DryActuator::new(self.shadow.clone()))
            }
        };
        let actuator = match self.plan.gate.is_dry() {
            true => actuator,
            false => Delivered::before(actuator, drains, &config.policy),
        };
        let hooks = config.shell.hooks.as_ref().map(|located| &located.value);
        // Who asks for nothing goes nowhere: there is nothing to leave, and nowhere to arrive.
        let hooks = hooks.filter(|_| !self.plan.gate.is_dry());
        let actuator = match hooks.and_then(|hooks| Some((hooks.before_leaving.clone()?, hooks.required))) {
            None => actuator,
            Some((spec, required)) => actuator
                .within(&format!("{spec:?} {required}"), move |actuator, reporter| {
                    hook::before_leaving(actuator, spec, required, reporter)
                }),
        };
        let arrivals = hooks.and_then(|hooks| hooks.on_arrival.clone()).map(|spec| {
            let (guest, place) = (config.guest.clone(), self.place.clone());
            let start = move |reporter| Arrivals::start(guest, spec, place, reporter);
            WiredArrivals {
                key: format!("{:?}", hooks.map(|hooks| &hooks.on_arrival)),
                start: Box::new(start),
            }
        });
        // Who asks for nothing takes no work from others either.
        let queues = if self.plan.gate.is_dry() { Vec::new() } else { queue::wired(config, &self.shop) };
        if queues.is_empty() && config.shell.work.iter().any(|work| work.run.is_some()) {
            tracing::warn!("jobs are neither claimed nor run: nothing is asked for");
        }
        Wiring { probes: probes(config, &self.board), actuator, locator, arrivals, queues }
    }
}

fn name(policy: &Policy, host: HostId) -> String {
    policy.hosts()[host].name.clone()
}

/// Where the guest of an embedded array starts: where the file says, or on the first host at home.
fn start_of(config: &Config) -> String {
    match config.shell.locator.as_ref().map(|located| &located.value) {
        Some(LocatorSpec::Assume(host)) => host.clone(),
        _ => {
            let policy = &config.policy;
            name(policy, policy.arrays()[policy.home()].first)
        }
    }
}

/// An indicator that nothing feeds.
struct Unfed;

impl Probe for Unfed {
    fn read(&mut self) -> Result<f64, Absence> {
        Err(Absence::NotFed)
    }
}

/// A probe for each indicator.
fn probes(config: &Config, board: &Board) -> Vec<WiredProbe> {
    let wired = config.policy.indicators().iter().map(|(id, indicator)| {
        let spec = config.shell.probes.get(id.index()).and_then(Option::as_ref);
        let spec = spec.map(|located| located.value.clone());
        let (name, guest) = (indicator.name.clone(), config.guest.clone());
        let key = format!("{name} {spec:?}");
        let at_hand = spec.as_ref().is_some_and(probe::is_at_hand);
        let board = board.clone();
        let make: MakeProbe = Box::new(move || {
            let plight = board.new_probe(&name);
            match spec.map(|spec| probe::make(&name, &guest, &spec, plight.clone())) {
                Some(Ok(probe)) => return probe,
                Some(Err(error)) => {
                    tracing::error!(indicator = %name, "it stays unknown: {error}");
                    plight.note(&error.to_string());
                }
                None => {}
            }
            Box::new(Unfed)
        });
        WiredProbe { key, at_hand, make }
    });
    wired.collect()
}
