//! Hosts, costs, indicators, windows, queues and the shell's part, each as a sentence.

use super::timeline::{date_of, time_of};
use super::words::{every, list, rounded, span};
use vmpolicy_core::Policy;
use vmpolicy_core::file::{
    ActuatorSpec, LocatorSpec, Mode, ProbeSpec, PsiResource, QueueSource, RedisRead, RunSpec, ServerAddress,
    Shell,
};
use vmpolicy_core::id::{ArrayId, Id as _, IndicatorId};
use vmpolicy_core::leaf::cost::base_pays;
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::window::{Hours, Pattern, Weekdays, Window};
use vmpolicy_core::policy::{Array, OnTimeout, Queue};
use vmpolicy_core::time::Wall;

/// Hosts beyond these are counted.
const LISTED_MAX: usize = 12;

/// An array: its ring and its base.
pub(super) fn array(policy: &Policy, id: ArrayId, array: &Array) -> String {
    let ring: Vec<_> = policy.ring(id).map(|host| policy.hosts()[host].name.as_str()).collect();
    let hosts = match ring.as_slice() {
        [only] => format!("one host, {only}"),
        few if few.len() <= LISTED_MAX => format!("{} hosts, in this order: {}", few.len(), few.join(", ")),
        [first, .., last] => format!("{} hosts, from {first} to {last}", ring.len()),
        [] => "no hosts".to_owned(),
    };
    let mut said = format!("{} has {hosts}", array.name);
    match array.base {
        Some(base) => said.push_str(&format!("; its base is {}.", policy.hosts()[base].name)),
        None => said.push_str("; it has no base."),
    }
    if policy.arrays().len() > 1 && id == policy.home() {
        said.push_str(" It is home.");
    }
    if array.speed != 1.0 {
        said.push_str(&format!(" Jobs run {} times as fast there as at home.", rounded(array.speed)));
    }
    if let Some(takes) = array.relocation {
        said.push_str(&format!(" A relocation there or back takes {}.", span(takes)));
    }
    said
}

/// What an array costs, by equation 3.1.
pub(super) fn cost(array: &Array) -> Option<String> {
    let price = array.price?;
    let mut said = format!("An hour on a host of {} costs {}", array.name, rounded(price.host));
    if array.base.is_none() {
        said.push('.');
        return Some(said);
    }
    said.push_str(&format!(", an hour at its base {}: ", rounded(price.base)));
    if base_pays(price.base, price.host) {
        let saved = price.host - price.base;
        let share = (saved / price.host * 100.0).round();
        said.push_str(&format!("each hour at the base saves {} ({share}%, equation 3.1).", rounded(saved)));
    } else {
        said.push_str("the base saves nothing.");
    }
    Some(said)
}

/// An indicator: where its numbers come from, how often, and what they become.
pub(super) fn indicator(policy: &Policy, shell: &Shell, index: usize) -> String {
    let indicator = &policy.indicators().rows()[index];
    let probe = shell.probes.get(index).and_then(Option::as_ref).map(|probe| &probe.value);
    let source = probe.map_or_else(|| "a probe that the file does not name".to_owned(), source);
    let sample = match indicator.read {
        Read::Gauge => "",
        Read::Delta => "; a sample is how much it has grown since the poll before",
        Read::Rate => "; a sample is how much it has grown in a second",
    };
    let unit = indicator.unit.as_ref().map_or_else(String::new, |unit| format!(", in {unit}"));
    let missing = match indicator.missing {
        0 => String::new(),
        1 => " One reading that is missing changes nothing; the second in a row starts the counting again."
            .to_owned(),
        n => format!(
            " Up to {n} missing readings in a row change nothing; the next one starts the counting again."
        ),
    };
    let timeout = timeout(policy, IndicatorId::from_index(index));
    format!(
        "{} is {source}{unit}, read {}{sample}.{missing}{timeout}",
        indicator.name,
        every(indicator.every)
    )
}

/// What it means that its probe runs out of time, where that is more than that nobody knows.
fn timeout(policy: &Policy, id: IndicatorId) -> String {
    if policy.indicators()[id].timeout == OnTimeout::Unknown {
        return String::new();
    }
    let rules = policy.rules().iter().filter(|&(rule, _)| policy.breaks_on_timeout(rule, id));
    let rules: Vec<_> = rules.map(|(_, rule)| rule.name.as_str()).collect();
    match rules.as_slice() {
        [] => " A time-out is declared to be a breach, and no rule goes by it.".to_owned(),
        rules => {
            format!(" A time-out is a breach of {}; to any other rule it says nothing.", list(rules, "and"))
        }
    }
}

fn source(probe: &ProbeSpec) -> String {
    match probe {
        ProbeSpec::Apache { field, web } => format!("{field} of the Apache server at {}", shown(&web.url)),
        ProbeSpec::Http { pointer: Some(pointer), web, .. } => {
            format!("the number at {pointer} in the JSON at {}", shown(&web.url))
        }
        ProbeSpec::Http { pointer: None, web, .. } => format!("the first number at {}", shown(&web.url)),
        ProbeSpec::Mysql { status, address, .. } => {
            format!("the status variable {status} of the MySQL server at {}", place(address))
        }
        ProbeSpec::Nginx { field, web } => {
            format!("the number `{}` of the nginx server at {}", field.name(), shown(&web.url))
        }
        ProbeSpec::Postgres { query, address, .. } => {
            format!("what `{query}` gives on the PostgreSQL server at {}", place(address))
        }
        ProbeSpec::Prometheus { query, web } => {
            format!("what `{query}` gives on the Prometheus server at {}", shown(&web.url))
        }
        ProbeSpec::Redis { read: RedisRead::Info(field), server } => {
            format!("the field {field} of INFO of the Redis server at {}", place(&server.address))
        }
        ProbeSpec::Redis { read: RedisRead::ListLength(key), server } => {
            format!("the length of the list {key} of the Redis server at {}", place(&server.address))
        }
        ProbeSpec::File { path } => format!("the first number in {path}"),
        ProbeSpec::Exec { argv, .. } => format!("the first number that `{}` prints", argv.join(" ")),
        ProbeSpec::Psi { resource, full, avg_secs } => {
            let resource = match resource {
                PsiResource::Cpu => "the processor",
                PsiResource::Memory => "memory",
                PsiResource::Io => "input and output",
            };
            let who = if *full { "all tasks" } else { "some task" };
            format!("the share of the last {avg_secs} seconds in which {who} waited for {resource}")
        }
        ProbeSpec::Steal => "the share of processor time that the hypervisor gave to others".to_owned(),
        ProbeSpec::Load { avg_mins: 1 } => "this machine's load over the last minute".to_owned(),
        ProbeSpec::Load { avg_mins } => format!("this machine's load over the last {avg_mins} minutes"),
        _ => "a probe of a kind that this program does not know".to_owned(),
    }
}

fn place(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Socket(path) => path.clone(),
        ServerAddress::Tcp { host, port, tls: None } => format!("{host}:{port}"),
        ServerAddress::Tcp { host, port, tls: Some(_) } => format!("{host}:{port} by TLS"),
    }
}

/// An address without what may be secret in it.
pub(super) fn shown(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// A queue: where its jobs come from, how often it is asked, its classes, and how its jobs are run.
pub(super) fn queue(queue: &Queue, source: Option<&QueueSource>, run: Option<&RunSpec>) -> String {
    let from = match source {
        Some(QueueSource::Directory { path }) => format!("the files in {path}"),
        Some(QueueSource::Redis { list, server, .. }) => {
            format!("the elements of the list {list} of the Redis {}", place(&server.address))
        }
        Some(QueueSource::Http(web)) => format!("what {} has", shown(&web.url)),
        Some(_) => "a source of a kind that this program does not know".to_owned(),
        None => "a source that the file does not name".to_owned(),
    };
    let classes: Vec<_> = queue
        .classes
        .iter()
        .map(|class| match class.takes {
            Some(takes) => format!("\"{}\" ({} at home)", class.name, span(takes)),
            None => format!("\"{}\"", class.name),
        })
        .collect();
    let classes = if classes.is_empty() {
        String::new()
    } else {
        format!(" Its classes are {}.", list(&classes, "and"))
    };
    let nobody = if source.is_some() { " Nobody runs them: the file does not say how." } else { "" };
    let run = run.map_or_else(
        || nobody.to_owned(),
        |run| {
            let program = run.argv.first().map_or("", String::as_str);
            let to = run.output.as_ref().map_or_else(
                || "what it prints is lost".to_owned(),
                |folder| format!("what it prints goes to {folder}"),
            );
            format!(" Each is run by {program}, for {} at most; {to}.", span(run.timeout))
        },
    );
    format!(
        "The jobs of {} are {from}; while it is empty it is asked {}.{classes}{run}",
        queue.name,
        every(queue.every)
    )
}

/// When a window is open, and its next edge.
pub(super) fn window(name: &str, window: &Window, at: Wall) -> String {
    let when = match window.pattern() {
        Pattern::Days { days, hours } => {
            let days = if *days == Weekdays::ALL {
                "every day".to_owned()
            } else {
                days.to_string().replace(',', ", ")
            };
            if *hours == Hours::WHOLE_DAY {
                format!("{days}, all day")
            } else {
                let shown = hours.to_string();
                let (from, to) = shown.split_once('-').unwrap_or((shown.as_str(), ""));
                let next =
                    if hours.wraps() && to != "24:00" && to != "00:00" { " of the next day" } else { "" };
                format!("{days} from {from} to {to}{next}")
            }
        }
        Pattern::Cron { open, close } => format!("from each `{open}` to the next `{close}` (cron)"),
    };
    let zone = window.zone();
    let view = window.at(at);
    let edge = |edge: Wall| {
        let civil = zone.civil_at(edge);
        format!("{} {} {}", civil.weekday(), date_of(civil), time_of(civil))
    };
    let next = match (view.open, view.next_edge) {
        (true, Some(at)) => format!("It is open, and closes {}.", edge(at)),
        (false, Some(at)) => format!("It is closed, and opens {}.", edge(at)),
        (true, None) => "It never closes.".to_owned(),
        (false, None) => "It never opens again.".to_owned(),
    };
    format!("{name} is open {when}, by the clock of {}. {next}", zone.name())
}

/// How moves are asked for, and how the guest knows where it is.
pub(super) fn shell(policy: &Policy, shell: &Shell) -> Vec<String> {
    let ask = match shell.actuator.as_ref().map(|actuator| &actuator.value) {
        None => "There is no actuator: vmpolicyd decides and logs, and asks for nothing.".to_owned(),
        Some(ActuatorSpec::Exec { argv, timeout }) => {
            format!("It asks by running `{}`, which has {} to answer.", argv.join(" "), span(*timeout))
        }
        Some(ActuatorSpec::Webhook { web, poll }) => format!(
            "It asks {}, which has {} to answer, and asks each {} how a move goes that was taken on.",
            web.url.split('?').next().unwrap_or_default(),
            span(web.timeout),
            span(*poll)
        ),
        Some(ActuatorSpec::Embedded) => {
            "It asks the embedded array, which only pretends to move it.".to_owned()
        }
        Some(_) => "It asks by a way that this program does not know.".to_owned(),
    };
    let often = every(policy.moves().locate_every);
    let know = match shell.locator.as_ref().map(|locator| &locator.value) {
        None => "There is no locator: where the guest is must be told when it starts, and confirmed moves are believed.".to_owned(),
        Some(LocatorSpec::Assume(host)) => format!("It takes itself to be on {host} at first, and believes confirmed moves."),
        Some(LocatorSpec::File { path }) => format!("It reads where it is from {path}, {often}."),
        Some(LocatorSpec::Exec { argv, .. }) => format!("It asks `{}` where it is, {often}.", argv.join(" ")),
        Some(LocatorSpec::Http { web, .. }) => {
            let url = web.url.split('?').next().unwrap_or_default();
            format!("It asks {url} where it is, {often}.")
        }
        Some(LocatorSpec::Network { hosts }) => {
            let each = hosts.iter().map(|(host, networks)| {
                let networks: Vec<String> = networks.iter().map(|network| network.value.to_string()).collect();
                format!("{} ({})", host.value, networks.join(", "))
            });
            let each: Vec<String> = each.collect();
            format!("It tells by the network of its addresses where it is, {often}: {}.", each.join(", "))
        }
        Some(_) => "It finds out where it is in a way that this program does not know.".to_owned(),
    };
    let mut says = vec![ask, know];
    if let Some(hooks) = shell.hooks.as_ref().map(|hooks| &hooks.value) {
        if let Some(hook) = &hooks.before_leaving {
            let or_not = if hooks.required { "; where that fails, it stays" } else { "" };
            let (argv, limit) = (hook.argv.join(" "), span(hook.timeout));
            says.push(format!("Before it asks, it runs `{argv}`, for {limit} at most{or_not}."));
        }
        if let Some(hook) = &hooks.on_arrival {
            let (argv, limit) = (hook.argv.join(" "), span(hook.timeout));
            says.push(format!(
                "On another host than before, it runs `{argv}`, for {limit} at most, and again until that goes well."
            ));
        }
    }
    if shell.mode() == Mode::Observe {
        says.insert(0, "It only observes: vmpolicyd decides and records, and asks for nothing.".to_owned());
    }
    if let Some(metrics) = shell.metrics.as_ref().map(|metrics| &metrics.value) {
        let port = metrics.listen.map(|address| format!("at http://{address}/metrics"));
        let file = metrics.textfile.as_ref().map(|path| format!("in {path}"));
        let places: Vec<String> = port.into_iter().chain(file).collect();
        says.push(format!("Its metrics are {}.", places.join(" and ")));
    }
    says
}
