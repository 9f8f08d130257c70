#!/usr/bin/env python3
"""What watching a machine costs: vmpolicyd beside what an administrator would run instead.

    benches/light.py VMPOLICYD [SECONDS] [--mysql]

All poll once a second for SECONDS (60), in turn and on the same machine, after 15 for their beginning: the load average, or with
--mysql the count of slow queries of a MariaDB that is started here, over its socket. Wants, from Debian's packages, monit, prometheus-node-exporter and
collectd-core, for --mysql also mariadb-server-core, mariadb-client and perl; what is missing is left out and said so.

Columns: resident and proportional memory at the end (MB of 1,000,000 bytes), the largest child beside it where there are any,
processor seconds (children included) and wakeups (voluntary context switches of all threads) for 1,000 polls, and what the
program takes on disk (its own file; libraries and interpreters are not counted).
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")

# Seconds that a program has for its beginning before anything is counted.
BEGINNING = 15

# The least that a poll can be: what the kernel asks for it, and how fast this machine is.
BARE = """#include <fcntl.h>
#include <unistd.h>
int main(void) {
    for (char line[64];;) {
        sleep(1);
        int file = open("/proc/loadavg", O_RDONLY);
        if (read(file, line, sizeof line) < 0) return 1;
        close(file);
    }
}
"""


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def memory(pid):
    """Resident and proportional bytes."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)


def processor(pid):
    """Seconds of the process' threads, to the nanosecond, and of the children that it has waited for, in ticks."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    total = sum(int(field) for field in fields[13:15]) / TICKS
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue
    return total


def wakeups(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            status = (task / "status").read_text()
        except OSError:
            continue
        total += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return total


def children(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def measure(argv, seconds, folder, poke=None):
    """Runs a program; `poke` is done once a second where it polls only when it is asked."""
    with open(folder / "out", "wb") as out:
        ran = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        time.sleep(BEGINNING)
        if ran.poll() is not None:
            raise RuntimeError((folder / "out").read_text()[-400:])
        began, woke, since, child = processor(ran.pid), wakeups(ran.pid), time.monotonic(), 0
        for second in range(seconds):
            if poke:
                poke()
            until = since + second + 1
            while time.monotonic() < until:
                for pid in children(ran.pid):
                    child = max(child, memory(pid)[0])
                time.sleep(0.004 if child or second < 2 else 0.1)
        took, waking = processor(ran.pid) - began, wakeups(ran.pid) - woke
        resident, proportional = memory(ran.pid)
    finally:
        ran.send_signal(signal.SIGTERM)
        try:
            ran.wait(5)
        except subprocess.TimeoutExpired:
            ran.kill()
    return resident, proportional, child, took / seconds * 1000, waking / seconds * 1000


def policy(folder, probe):
    (folder / "policy.yaml").write_text(f"""version: 1
guest: g
arrays: {{ a: {{ hosts: [one, two] }} }}
indicators: {{ i: {{ probe: {probe}, every: 1s }} }}
rules: [{{ name: over, when: i > 1000000, tarry: 3, do: move }}]
moves: {{ settle: 1s }}
locator: {{ assume: one }}
actuator: {{ exec: {{ argv: ["/bin/true"] }} }}
""")
    return ["--config", "policy.yaml", "--state", "state", "--control", "control", "--records", "records"]


def contenders(vmpolicyd, folder, socket):
    """Name, argv, what to do each second."""
    probe = f"{{ mysql: {{ status: Slow_queries, socket: {socket}, user: root }} }}" if socket else "{ load: {} }"
    yield "vmpolicyd", [vmpolicyd, *policy(folder, probe)], None
    if socket:
        (folder / "collectd.conf").write_text(f"""Interval 1
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin mysql
<Plugin mysql>
  <Database d>
    Socket "{socket}"
    User "root"
    Host "localhost"
  </Database>
</Plugin>
""")
        yield "collectd, mysql", [find("collectd"), "-f", "-C", "collectd.conf"], None
        asking = f"mysqladmin --no-defaults -u root -S {socket} extended-status"
        loop = f"while sleep 1; do {asking} | awk '$2 == \"Slow_queries\" {{ print $4 }}' > last; done"
        yield "shell loop, mysqladmin", [find("bash"), "-c", loop], None
        perl = f"while (1) {{ my ($n) = `{asking}` =~ /Slow_queries\\s*\\|\\s*(\\d+)/; sleep 1 }}"
        yield "Perl loop, mysqladmin", [find("perl"), "-e", perl], None
        return
    (folder / "monitrc").write_text(
        f"set daemon 1\nset pidfile {folder}/monit.pid\nset statefile {folder}/monit.state\nset idfile {folder}/monit.id\n"
        "check system here\n  if loadavg (1min) > 1000 then alert\n"
    )
    (folder / "monitrc").chmod(0o600)
    yield "monit", [find("monit"), "-I", "-c", str(folder / "monitrc")], None
    port = 19100
    yield (
        "prometheus-node-exporter",
        [find("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults", "--collector.loadavg"],
        lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read(),
    )
    (folder / "collectd.conf").write_text(
        f'Interval 1\nBaseDir "{folder}"\nPIDFile "{folder}/collectd.pid"\nTypesDB "/usr/share/collectd/types.db"\nLoadPlugin load\n'
    )
    yield "collectd", [find("collectd"), "-f", "-C", "collectd.conf"], None
    yield "shell loop", [find("bash"), "-c", "while sleep 1; do read -r one rest < /proc/loadavg; done"], None
    if find("cc"):
        (folder / "bare.c").write_text(BARE)
        subprocess.run([find("cc"), "-O2", "-o", str(folder / "bare"), str(folder / "bare.c")], check=True)
    yield "bare loop in C", [str(folder / "bare") if find("cc") else None], None


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--mysql"]
    if not arguments:
        sys.exit(__doc__)
    vmpolicyd, seconds = os.path.realpath(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 60
    mysql = "--mysql" in sys.argv
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        server, socket = None, None
        if mysql:
            (temporary / "data").mkdir()
            socket = temporary / "s"
            server = subprocess.Popen(
                [find("mariadbd"), "--no-defaults", f"--datadir={temporary}/data", f"--socket={socket}", "--skip-networking",
                 "--skip-grant-tables", "--skip-innodb", "--default-storage-engine=Aria", "--user=root"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            while not socket.exists():
                time.sleep(0.1)
        print("| | resident | proportional | child | CPU s / 1,000 polls | wakeups / 1,000 polls | on disk |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        try:
            for number, (name, argv, poke) in enumerate(contenders(vmpolicyd, temporary, socket)):
                if argv[0] is None:
                    print(f"| {name} | not installed | | | | | |")
                    continue
                folder = temporary / str(number)
                shutil.copytree(temporary, folder, ignore=lambda *_: {"data", "s", *map(str, range(10))})
                resident, proportional, child, took, woke = measure(argv, seconds, folder, poke)
                mb = lambda size: f"{size / 1e6:.1f} MB" if size else ""
                print(f"| {name} | {mb(resident)} | {mb(proportional)} | {mb(child)} | {took:.2f} | {woke:,.0f} | {mb(os.stat(argv[0]).st_size)} |", flush=True)
        finally:
            if server:
                server.terminate()
                server.wait()


main()
