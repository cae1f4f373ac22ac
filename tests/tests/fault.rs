//! The ledger's server goes away in every way it can, under load: nothing acknowledged is lost, nothing is doubled, nobody
//! has to do anything but mend the server, and readiness says what is the matter meanwhile.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use afluente_testkit::{Proxy, Server};
use afluente_tests::{Load, Served, Shop, Up, afluente, wait_until};

/// What readiness says while the ledger takes nothing.
const AWAY: &str = "the ledger cannot take batches";

/// What a fault does to a running process.
struct Trial<'a> {
    name: &'static str,
    served: &'a mut Served,
    up: &'a mut Up,
    began: Instant,
}

impl Trial<'_> {
    /// Waits until the process says that the ledger takes nothing.
    fn is_told(&self) {
        wait_until("readiness tells it", || {
            let page = self.up.get("/readyz");
            page.starts_with("HTTP/1.1 503") && page.contains(AWAY)
        });
        assert!(self.up.get("/metrics").lines().any(|line| line == "afluente_worker_waiting_for_ledger 1"));
        println!("{}: told after {:?}", self.name, self.began.elapsed());
    }
}

/// Runs a fault in the middle of a load: `fault` breaks something and mends it again. What was acknowledged before, during
/// and after is in the ledger once.
fn survives(name: &'static str, mut served: Served, fault: impl FnOnce(&mut Trial<'_>)) {
    let mut up = served.shop.up();
    let shop = Shop::sender_of(&served.shop);
    let load = Load::new(&shop, &up);
    let mut mended = Instant::now();
    load.run(|| {
        wait_until("enough was acknowledged", || load.acknowledged() >= 100);
        fault(&mut Trial { name, served: &mut served, up: &mut up, began: Instant::now() });
        mended = Instant::now();
        let before = load.acknowledged();
        wait_until("more is acknowledged afterwards", || load.acknowledged() >= before + 100);
    });
    let acknowledged = load.names();
    wait_until("every acknowledged event is in the ledger", || {
        let receipts = served.receipts();
        acknowledged.iter().all(|name| receipts.contains_key(&format!("snapshot:evt_{name}")))
    });
    println!("{name}: {} acknowledged, all there {:?} after it was mended", acknowledged.len(), mended.elapsed());
    wait_until("it is ready again", || up.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(served.receipts().values().all(|count| *count == 1), "a receipt was stored twice");
    let wrong = "select count(*) from afluente.payments where captured_amount <> 1000 or status_v2 <> 'SUCCEEDED'";
    assert_eq!(served.count(wrong), 0, "a payment does not have its money exactly once");
    assert_eq!(served.count("select count(*) from afluente.dead_letters"), 0);
    let idle = "select count(*) from pg_stat_activity where application_name = 'afluente' and state like 'idle in%'";
    wait_until("no transaction of ours stays open", || served.count(idle) == 0);
    assert!(up.is_alive(), "it had to be started again");
    assert_eq!(up.terminate().0, 0);
    assert!(served.shop.run(&["rebuild", "--check"]).expect(0).out.contains("0 differences"));
}

/// Lets a fault last.
fn a_moment() {
    std::thread::park_timeout(Duration::from_millis(700));
}

#[test]
fn the_server_is_killed_three_times() {
    survives("kill -9", Served::new(), |trial| {
        for _ in 0..3 {
            trial.began = Instant::now();
            trial.served.server.kill_nine();
            trial.is_told();
            trial.served.server.again();
            wait_until("it is ready again", || trial.up.get("/readyz").starts_with("HTTP/1.1 200"));
        }
    });
}

#[test]
fn the_server_is_stopped_and_started() {
    survives("stop and start", Served::new(), |trial| {
        trial.served.server.stop();
        trial.is_told();
        a_moment();
        trial.served.server.again();
    });
}

#[test]
fn another_server_takes_over_and_the_first_becomes_read_only() {
    let first = Server::start_with(&["wal_level=replica", "hot_standby=on"]);
    let proxy = Proxy::to(first.port());
    let port = proxy.port();
    survives("failover", Served::on(first, Some(port)), |trial| {
        let first = &trial.served.server;
        let standby = first.standby();
        wait_until("the standby follows", || {
            first.psql("select count(*) from pg_stat_replication where sync_state = 'sync'") == "1"
        });
        trial.began = Instant::now();
        // First only the role changes, as a demotion does: sessions stay, writes are refused.
        first.psql("alter system set default_transaction_read_only = on");
        first.psql("select pg_reload_conf()");
        trial.is_told();
        standby.psql("select pg_promote()");
        proxy.lead_to(standby.port());
        wait_until("the second is worked on", || trial.up.get("/readyz").starts_with("HTTP/1.1 200"));
        trial.served.server = standby;
    });
}

#[test]
fn somebody_holds_a_table_for_longer_than_the_lock_timeout() {
    survives("lock timeout", Served::new(), |trial| {
        let url = trial.served.server.url("shop");
        let hold = "begin; lock table afluente.payment_names; select pg_sleep(8)";
        let mut holder = Command::new("psql").args(["-X", "-q", "-d", &url, "-c", hold]).spawn().unwrap();
        wait_until("a batch met it", || {
            trial.up.get("/metrics").contains("afluente_worker_batch_failures_total{class=\"contended\"}")
        });
        assert!(holder.wait().unwrap().success());
    });
}

#[test]
fn statements_take_longer_than_the_server_allows() {
    survives("statement timeout", Served::new(), |trial| {
        trial.served.server.psql_in(
            "shop",
            "create function afluente.slow() returns trigger language plpgsql as \
             $$ begin perform pg_sleep(20); return new; end $$; \
             create trigger slow before insert on afluente.webhook_dedupe for each row execute function afluente.slow()",
        );
        trial.is_told();
        trial.served.server.psql_in("shop", "drop function afluente.slow() cascade");
    });
}

#[test]
fn deadlocks_are_provoked() {
    survives("deadlock", Served::new(), |trial| {
        // Whoever writes a receipt waits for the lock that somebody holds, who then wants what the other holds.
        let provoke = "begin; select pg_advisory_xact_lock(1); select pg_sleep(0.3); \
                       lock table afluente.webhook_dedupe in access exclusive mode; rollback";
        trial.served.server.psql_in(
            "shop",
            "create function afluente.meet() returns trigger language plpgsql as \
             $$ begin perform pg_advisory_xact_lock_shared(1); return new; end $$; \
             create trigger meet before insert on afluente.webhook_receipts for each row execute function afluente.meet()",
        );
        let server = &trial.served.server;
        server.psql("alter system set deadlock_timeout = '50ms'");
        server.psql("select pg_reload_conf()");
        let url = server.url("shop");
        let deadlocks =
            || server.psql("select deadlocks from pg_stat_database where datname = 'shop'").parse::<i64>().unwrap();
        wait_until("it happened", || {
            // The victim may be this one.
            let _ = Command::new("psql").args(["-X", "-q", "-d", &url, "-c", provoke]).output().unwrap();
            deadlocks() >= 3
        });
        println!("{}: {} deadlocks", trial.name, deadlocks());
        server.psql_in("shop", "drop function afluente.meet() cascade");
    });
}

#[test]
fn no_connection_is_left() {
    survives("connection limit", Served::new(), |trial| {
        let server = &trial.served.server;
        server.psql("alter role shop connection limit 0");
        server.psql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'shop'");
        trial.is_told();
        a_moment();
        server.psql("alter role shop connection limit -1");
    });
}

#[test]
fn the_server_becomes_read_only() {
    survives("read-only", Served::new(), |trial| {
        let server = &trial.served.server;
        server.psql("alter system set default_transaction_read_only = on");
        server.psql("select pg_reload_conf()");
        trial.is_told();
        a_moment();
        server.psql("alter system reset default_transaction_read_only");
        server.psql("select pg_reload_conf()");
    });
}

#[test]
fn connections_are_cut() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let port = proxy.port();
    survives("cut", Served::on(server, Some(port)), |_| {
        for _ in 0..20 {
            proxy.cut();
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
}

#[test]
fn the_network_goes_silent() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let port = proxy.port();
    survives("silent network", Served::on(server, Some(port)), |trial| {
        proxy.go_silent();
        trial.is_told();
        proxy.speak();
    });
}

#[test]
fn told_to_stop_while_the_network_is_silent_it_ends() {
    let database = Server::start();
    let proxy = Proxy::to(database.port());
    let served = Served::on(database, Some(proxy.port()));
    let up = served.shop.up();
    assert!(served.shop.deliver(up.ingress, &Shop::paid("a", 500)).is_acknowledged());
    wait_until("it is there", || served.count("select count(*) from afluente.payments") == 1);
    proxy.go_silent();
    let measured = || up.get("/metrics");
    assert!(served.shop.deliver(up.ingress, &Shop::paid("b", 500)).is_acknowledged());
    wait_until("it stands back", || measured().lines().any(|line| line == "afluente_worker_waiting_for_ledger 1"));
    assert_eq!(up.terminate().0, 0);
}

#[test]
fn the_role_loses_its_rights() {
    survives("rights", Served::new(), |trial| {
        trial.served.server.psql_in("shop", "alter schema afluente owner to tester");
        trial.is_told();
        trial.served.server.psql_in("shop", "alter schema afluente owner to shop");
    });
}

#[test]
fn somebody_goes_a_version_back_beside_a_running_process() {
    survives("schema behind", Served::new(), |trial| {
        // From another machine: the folder of the running process is not there to be seen.
        let elsewhere = tempfile::tempdir().unwrap();
        let url = trial.served.server.url("shop").replace("tester@", "shop@");
        let migrate = |args: &[&str]| {
            let folder = ["--data", elsewhere.path().to_str().unwrap()];
            afluente([&["migrate"], args, &folder].concat()).env("DATABASE_URL", &url).run()
        };
        migrate(&["--down", "10", "--yes"]).expect(0);
        trial.is_told();
        assert!(migrate(&["--check"]).expect(1).err.contains("behind by 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"));
        a_moment();
        migrate(&[]).expect(0);
    });
}

#[test]
fn a_newer_version_migrates_beside_a_running_process() {
    survives("schema ahead", Served::new(), |trial| {
        let served = &*trial.served;
        let ahead = "insert into afluente._sqlx_migrations (version, description, success, checksum, execution_time) \
                     values (999, 'newer', true, '', 0)";
        let _ = served.ask(ahead);
        // Whoever starts now is refused; whoever runs goes on, since migrations only add.
        let refused = served.shop.run(&["migrate"]).expect(3);
        assert!(refused.err.contains("999"), "{}", refused.err);
        a_moment();
        assert!(trial.up.get("/readyz").starts_with("HTTP/1.1 200"));
        let _ = served.ask("delete from afluente._sqlx_migrations where version = 999");
    });
}

#[test]
fn somebody_leaves_a_transaction_open() {
    survives("idle transaction", Served::new(), |trial| {
        // It holds rows as they are now, and a lock that keeps nobody from writing.
        let url = trial.served.server.url("shop");
        let mut psql = Command::new("psql");
        let mut holder = psql.args(["-X", "-q", "-d", &url]).stdin(Stdio::piped()).spawn().unwrap();
        let opening = b"begin isolation level repeatable read; select count(*) from afluente.payments;\n";
        holder.stdin.as_mut().unwrap().write_all(opening).unwrap();
        let held =
            "select count(*) from pg_stat_activity where application_name = 'psql' and state = 'idle in transaction'";
        wait_until("it is open", || trial.served.count(held) == 1);
        let begun = trial.began.elapsed();
        wait_until("it is open for a while", || trial.began.elapsed() > begun + Duration::from_secs(3));
        assert!(trial.up.get("/readyz").starts_with("HTTP/1.1 200"));
        assert_eq!(trial.served.count(held), 1, "the worker ended somebody else's transaction");
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
    });
}

#[test]
fn the_process_is_stopped_past_every_timeout_and_goes_on() {
    survives("SIGSTOP", Served::new(), |trial| {
        trial.up.signal("STOP");
        let idle =
            "select count(*) from pg_stat_activity where application_name = 'afluente' and state like 'idle in%'";
        let stopped = Instant::now();
        // Longer than the server lets a transaction do nothing.
        wait_until("past every timeout", || stopped.elapsed() > Duration::from_secs(33));
        assert_eq!(trial.served.count(idle), 0, "the server keeps the transaction of a process that is stopped");
        trial.up.signal("CONT");
    });
}

#[test]
fn the_disk_of_the_server_is_full() {
    // A small file system takes root; anybody may forbid a process large files, which the server tells apart only by words.
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        eprintln!(
            "not root: no file system of its own for the server; the disk of the queue is filled in durability.rs"
        );
        return;
    }
    let disk = SmallDisk::mount(200);
    let data = disk.0.path().join("data");
    let server = Server::start_in(&data, &["max_wal_size=64MB", "min_wal_size=32MB"]);
    survives("disk full", Served::on(server, None), |trial| {
        let ballast = disk.0.path().join("ballast");
        let fill = format!("dd if=/dev/zero of={} bs=64k 2>/dev/null; true", ballast.display());
        assert!(Command::new("sh").arg("-c").arg(fill).status().unwrap().success());
        trial.is_told();
        a_moment();
        std::fs::remove_file(&ballast).unwrap();
        // A server whose log found no room has ended itself, and whoever looks after it starts it again.
        trial.served.server.again_if_it_ended();
    });
}

/// A file system of so many MiB, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mib: u32) -> SmallDisk {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=777"), "tmpfs"])
            .arg(folder.path())
            .status();
        assert!(mount.unwrap().success(), "cannot mount a small file system");
        SmallDisk(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}
