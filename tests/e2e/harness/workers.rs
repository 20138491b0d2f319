//! Workers that a test can kill, and what Lambda does between them and queues. A message whose worker died stays invisible.

pub(crate) use super::queues::Queues;

use super::proxy::{Act, Seen};
use super::queues::{Record, receive, record, settle, show_again};
use super::sandbox::{Sandbox, peak_memory};
use super::stack::stack;
use super::target_proxy::mixed;
use super::wait::until;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

type Rule = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

/// How workers work.
#[derive(Clone)]
pub(crate) struct WorkerOptions {
    pub(crate) workers: usize,
    /// How often each message is delivered. More than once: in a random order, too.
    pub(crate) deliveries: usize,
    /// Decides about the order.
    pub(crate) seed: u64,
    /// How often a message is tried.
    pub(crate) max_receives: u32,
    /// What becomes of calls to AWS. Without it there is nothing in between.
    pub(crate) aws: Option<Rule>,
    /// The message of a worker that died comes again at once, not when its time is over.
    pub(crate) impatient: bool,
}

impl WorkerOptions {
    /// As they are deployed.
    pub(crate) fn usual(workers: usize) -> Self {
        Self {
            workers,
            deliveries: 1,
            seed: 1,
            max_receives: 8,
            aws: None,
            impatient: false,
        }
    }
}

struct Crew {
    queues: Queues,
    options: WorkerOptions,
    /// Received, and not handed over yet.
    pool: Mutex<Vec<Record>>,
    draws: AtomicU64,
    busy: AtomicUsize,
    delivered: AtomicUsize,
    deaths: AtomicUsize,
    /// The most memory that any worker has used, in KiB.
    memory: AtomicU64,
    /// The process of each worker, and how to kill it.
    processes: Vec<Lock<Option<Process>>>,
    /// What those wrote that died.
    last_words: Lock<String>,
}

struct Process {
    pid: u32,
    kill: Box<dyn Fn() + Send>,
    log: Box<dyn Fn() -> String + Send>,
}

/// Running workers; they end with the test.
pub(crate) struct Workers {
    crew: Arc<Crew>,
    tasks: Lock<Vec<JoinHandle<()>>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.crew.say_all();
        }
        for task in self.tasks.lock().unwrap().iter() {
            task.abort();
        }
    }
}

impl Workers {
    pub(crate) fn start(queues: &Queues, options: WorkerOptions) -> Self {
        let count = options.workers;
        let crew = Arc::new(Crew {
            queues: queues.clone(),
            options,
            pool: Mutex::default(),
            draws: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            delivered: AtomicUsize::new(0),
            deaths: AtomicUsize::new(0),
            memory: AtomicU64::new(0),
            processes: (0..count).map(|_| Lock::new(None)).collect(),
            last_words: Lock::default(),
        });
        let mut tasks: Vec<_> = (0..count)
            .map(|index| tokio::spawn(Arc::clone(&crew).work(index)))
            .collect();
        tasks.push(tokio::spawn(Arc::clone(&crew).watch_memory()));
        let tasks = Lock::new(tasks);
        Self { crew, tasks }
    }

    /// Ends them. Afterwards nobody asks the queues any more.
    pub(crate) async fn stop(&self) {
        let tasks: Vec<_> = self.tasks.lock().unwrap().drain(..).collect();
        for task in tasks {
            task.abort();
            if let Err(error) = task.await {
                assert!(
                    error.is_cancelled(),
                    "what stands between queues and workers failed: {error}"
                );
            }
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self, index: usize) {
        self.crew.note_memory();
        if let Some(process) = self.crew.processes[index].lock().unwrap().as_ref() {
            (process.kill)();
        }
    }

    /// How many have died and were replaced.
    pub(crate) fn deaths(&self) -> usize {
        self.crew.deaths.load(Ordering::SeqCst)
    }

    /// How many messages were handed over.
    pub(crate) fn delivered(&self) -> usize {
        self.crew.delivered.load(Ordering::SeqCst)
    }

    /// The most memory that any of them has ever used, in KiB: the kernel's own high-water mark.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.crew.note_memory();
        self.crew.memory.load(Ordering::SeqCst)
    }

    /// Waits until there are no messages any more.
    pub(crate) async fn idle(&self) {
        let quiet = async || {
            self.crew.busy.load(Ordering::SeqCst) == 0
                && self.crew.pool.lock().await.is_empty()
                && self.crew.queues.waiting().await == 0
        };
        until("all messages are worked on", async || {
            // Twice, because it is not one point in time: a message may have been on its way from one place to the next.
            (quiet().await && quiet().await).then_some(())
        })
        .await;
    }
}

impl Crew {
    async fn work(self: Arc<Self>, index: usize) {
        let mut worker = self.hire(index).await;
        loop {
            let batch = self.take().await;
            // Nobody hands messages over to what is not there.
            if worker.is_dead() {
                worker = self.replace(index, worker).await;
            }
            self.delivered.fetch_add(batch.len(), Ordering::SeqCst);
            let records: Vec<&Value> = batch.iter().map(|record| &record.record).collect();
            match worker.invoke(&json!({ "Records": records })).await {
                Some(answer) => settle(&batch, &answer).await,
                None => {
                    if self.options.impatient {
                        show_again(&batch).await;
                    }
                    worker = self.replace(index, worker).await;
                }
            }
            self.busy.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Another one in the place of one that died.
    async fn replace(&self, index: usize, dead: Sandbox) -> Sandbox {
        self.deaths.fetch_add(1, Ordering::SeqCst);
        self.last_words.lock().unwrap().push_str(&dead.log());
        self.hire(index).await
    }

    async fn hire(&self, index: usize) -> Sandbox {
        let receives = self.options.max_receives.to_string();
        let mut environment = self.queues.environment().to_vec();
        environment.push(("MAX_RECEIVES", &receives));
        let rule = self.options.aws.clone();
        if rule.is_none() && !stack().endpoint.is_empty() {
            environment.push(("AWS_ENDPOINT_URL", &stack().endpoint));
        }
        let rule = move |seen: &Seen| rule.as_ref().map_or(Act::Pass, |rule| rule(seen));
        let worker = Sandbox::start_with("replicate", rule, &environment).await;
        *self.processes[index].lock().unwrap() = Some(Process {
            pid: worker.pid(),
            kill: Box::new(worker.killer()),
            log: Box::new(worker.log_reader()),
        });
        worker
    }

    /// Waits for messages, and takes some of them.
    async fn take(&self) -> Vec<Record> {
        loop {
            {
                let mut pool = self.pool.lock().await;
                // So many that an order among them means something.
                let enough = if self.options.deliveries > 1 { 30 } else { 1 };
                if pool.len() < enough {
                    self.receive(&mut pool).await;
                }
                if let Some(batch) = self.draw(&mut pool) {
                    self.busy.fetch_add(1, Ordering::SeqCst);
                    return batch;
                }
            }
            sleep(Duration::from_millis(150)).await;
        }
    }

    async fn receive(&self, pool: &mut Vec<Record>) {
        let segments = if self.options.deliveries > 1 { 10 } else { 1 };
        for (queue, most) in [(&self.queues.start, 10), (&self.queues.copy, segments)] {
            for message in receive(queue, most).await {
                let copies = 0..self.options.deliveries;
                pool.extend(copies.map(|copy| Record {
                    record: record(&message, copy),
                    queue: queue.clone(),
                }));
            }
        }
    }

    /// One segment, or some of what is small.
    fn draw(&self, pool: &mut Vec<Record>) -> Option<Vec<Record>> {
        let draw = |most: usize| {
            let random = mixed(self.options.seed ^ mixed(self.draws.fetch_add(1, Ordering::SeqCst)));
            usize::try_from(random).unwrap() % most
        };
        if pool.is_empty() {
            return None;
        }
        let mut batch = vec![pool.swap_remove(draw(pool.len()))];
        if batch[0].queue == self.queues.copy {
            return Some(batch);
        }
        let most = if self.options.deliveries > 1 {
            1 + draw(4)
        } else {
            10
        };
        while batch.len() < most
            && let Some(place) = pool.iter().position(|record| record.queue == self.queues.start)
        {
            batch.push(pool.swap_remove(place));
        }
        Some(batch)
    }

    /// What there is to know when a test fails.
    fn say_all(&self) {
        let (deaths, delivered) = (&self.deaths, &self.delivered);
        println!("{delivered:?} messages were delivered, {deaths:?} workers died, and wrote:");
        println!("{}", self.last_words.lock().unwrap());
        for process in &self.processes {
            if let Some(process) = process.lock().unwrap().as_ref() {
                println!("process {} wrote: {}", process.pid, (process.log)());
            }
        }
    }

    fn note_memory(&self) {
        for process in &self.processes {
            let pid = process.lock().unwrap().as_ref().map(|process| process.pid);
            if let Some(kib) = pid.and_then(peak_memory) {
                self.memory.fetch_max(kib, Ordering::SeqCst);
            }
        }
    }

    async fn watch_memory(self: Arc<Self>) {
        loop {
            self.note_memory();
            sleep(Duration::from_millis(200)).await;
        }
    }
}
