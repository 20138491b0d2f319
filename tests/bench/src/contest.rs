//! One contest: the same files, copied by each contestant in turns.

use crate::aws::AwsEndpoint;
use crate::books::{self, Files};
use crate::console::say;
use crate::contestant::Contestant;
use crate::mapping::Feed;
use crate::rclone::{Rclone, Remote};
use crate::relay::Relay;
use crate::report::{Calls, Contest, Run};
use crate::source;
use crate::stack::{Ceph, Stack};
use crate::target;
use crate::usage::Cpu;
use crate::worker::Worker;
use anyhow::{Context, Result, ensure};
use domain::content::PartPlan;
use futures::future::try_join_all;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What takes longer has stopped.
const TIMEOUT: Duration = Duration::from_mins(30);
/// Where rclone's copies are, beside the replicas.
const RCLONE_PREFIX: &str = "rclone/";

/// The stack, Ceph, and the programs.
pub(crate) struct Ground {
    pub(crate) stack: Stack,
    pub(crate) ceph: Ceph,
    pub(crate) bootstrap: PathBuf,
    pub(crate) rclone: Rclone,
    pub(crate) worker_log: PathBuf,
    pub(crate) rounds: u32,
}

/// Where the contestants find the source and the target.
struct Way<'a> {
    source: &'a str,
    target: &'a str,
}

impl Ground {
    /// Uploads files and keeps what is written about them.
    pub(crate) async fn files(&self, what: &str, sizes: &[u64]) -> Result<Files> {
        say(&format!("==> Uploading {what}"));
        let began = Instant::now();
        let sources = source::make(&self.stack, sizes).await?;
        let messages = source::take_messages(&self.stack, &sources).await?;
        let files = books::keep(&self.stack, sources, messages).await?;
        say(&format!("    done in {:.1} s", began.elapsed().as_secs_f64()));
        Ok(files)
    }

    /// Lets everybody copy the files, as often as there are rounds, each round in the other order. The connections to
    /// the target carry what `per_connection` says.
    pub(crate) async fn contest(
        &self,
        name: &str,
        files: &Files,
        contestants: &[Contestant],
        per_connection: Option<u64>,
    ) -> Result<Contest> {
        let relay = match per_connection {
            Some(rate) => Some(Relay::start(&self.ceph.place.endpoint, Some(rate)).await?),
            None => None,
        };
        let target = relay
            .as_ref()
            .map_or(&self.ceph.place.endpoint, |relay| &relay.endpoint);
        let way = Way {
            source: &self.stack.aws.endpoint,
            target,
        };
        say(&format!("==> {name}"));
        let mut contest = Contest::new(name, &files.pending);
        for round in 0..self.rounds {
            let mut order = contestants.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for contestant in order {
                let run = self.run(contestant, files, &way).await;
                let run = run.with_context(|| format!("{name}: {}", contestant.name()))?;
                say(&format!("    {:<10} {}", contestant.name(), contest.shown(&run)));
                contest.add(contestant, run);
            }
        }
        Ok(contest)
    }

    /// Counts what each contestant asks the stores. Not measured otherwise: counting takes time.
    pub(crate) async fn count_calls(&self, files: &Files) -> Result<Vec<Calls>> {
        say(&format!(
            "==> Counting the calls for {} files",
            files.pending.len()
        ));
        let mut all = Vec::new();
        for contestant in [Contestant::Workers(1), Contestant::Rclone] {
            let source = Relay::start(&self.stack.aws.endpoint, None).await?;
            let target = Relay::start(&self.ceph.place.endpoint, None).await?;
            let way = Way {
                source: &source.endpoint,
                target: &target.endpoint,
            };
            self.run(contestant, files, &way).await?;
            let places = [("AWS", source.counts()), ("Ceph", target.counts())];
            all.extend(
                places.map(|(place, counts)| Calls::new(contestant, place, counts, files.pending.len())),
            );
        }
        Ok(all)
    }

    /// One run: everything as before, copied, verified, removed.
    async fn run(&self, contestant: Contestant, files: &Files, way: &Way<'_>) -> Result<Run> {
        let (emulator, ceph) = ([self.stack.emulator_pid], &self.ceph.pids);
        let (prefix, run) = match contestant {
            Contestant::Workers(count) => {
                self.stack.set_target_endpoint(way.target).await?;
                books::put_back(&self.stack, files).await?;
                let before = (Cpu::of(&emulator), Cpu::of(ceph));
                let mut run = self.workers(count, files, way).await?;
                run.emulator_cpu = Cpu::of(&emulator) - before.0;
                run.ceph_cpu = Cpu::of(ceph) - before.1;
                (self.stack.prefix.as_str(), run)
            }
            Contestant::Rclone => {
                let before = (Cpu::of(&emulator), Cpu::of(ceph));
                let mut run = self.rclone(files, way).await?;
                run.emulator_cpu = Cpu::of(&emulator) - before.0;
                run.ceph_cpu = Cpu::of(ceph) - before.1;
                (RCLONE_PREFIX, run)
            }
        };
        target::verify(&self.ceph, prefix, &files.pending).await?;
        target::empty(&self.ceph, prefix).await?;
        Ok(run)
    }

    /// From the start of the processes until the last of them has answered and every replica is available.
    async fn workers(&self, count: usize, files: &Files, way: &Way<'_>) -> Result<Run> {
        let stack = &self.stack;
        let began = Instant::now();
        let start = || {
            Worker::start(
                &self.bootstrap,
                &stack.function,
                &stack.region,
                way.source,
                &self.worker_log,
            )
        };
        let workers = try_join_all((0..count).map(|_| start())).await?;
        let feed = Feed::start(&stack.aws, &stack.mappings, workers);
        let ended = loop {
            let ended = feed.quiet().await?;
            let (missing, why) = books::missing(stack, &files.pending).await?;
            if missing == 0 {
                break ended;
            }
            ensure!(
                began.elapsed() < TIMEOUT,
                "{missing} replicas are not available ({why:?}); see {}",
                self.worker_log.display()
            );
        };
        let (workers, failures) = feed.stop().await?;
        let mut run = Run::new(ended - began);
        run.failures = failures;
        for worker in workers {
            let (memory, cpu) = worker.usage()?;
            run.peak_memory_kib = run.peak_memory_kib.max(memory);
            run.cpu = run.cpu + cpu;
            worker.stop().await?;
        }
        Ok(run)
    }

    async fn rclone(&self, files: &Files, way: &Way<'_>) -> Result<Run> {
        let region = &self.stack.region;
        let source = Remote {
            provider: "Other",
            endpoint: way.source,
            region,
            key_id: "test",
            secret: "test",
        };
        let target = Remote {
            provider: "Ceph",
            endpoint: way.target,
            region,
            key_id: &self.ceph.key_id,
            secret: &self.ceph.secret,
        };
        let from = format!("{}/blobs", self.stack.bucket);
        let to = format!("{}/{RCLONE_PREFIX}", self.ceph.bucket);
        let keys: Vec<_> = files
            .pending
            .iter()
            .map(|file| file.source.blob.as_str())
            .collect();
        let largest = files
            .pending
            .iter()
            .map(|file| file.source.size)
            .max()
            .unwrap_or(0);
        let part_size = PartPlan::for_size(largest)?.part_size();
        let took = self
            .rclone
            .copy((&source, &from), (&target, &to), &keys, part_size)
            .await?;
        let mut run = Run::new(took.time);
        run.peak_memory_kib = took.peak_memory_kib;
        run.cpu = took.cpu;
        Ok(run)
    }
}

/// What answers at an endpoint, so that a mistake there is not taken for a slow contestant.
pub(crate) async fn ensure_answers(place: &AwsEndpoint, bucket: &str) -> Result<()> {
    let path = format!("/{bucket}?list-type=2&max-keys=1");
    let answer = place.send("s3", "GET", &path, &[], "").await?;
    answer.succeeded(&format!("listing {bucket}")).map(|_| ())
}
