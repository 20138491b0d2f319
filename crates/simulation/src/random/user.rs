//! A client: it does what comes to its mind, often the same as others do at that moment, and knows what must be there
//! afterwards.

mod batches;
mod moves;
mod transfers;
mod trash;
mod versions;

use super::contents::{CONTENTS, some_content};
use crate::person::{PASSWORD, Person};
use crate::world::World;
use host::Rng;
use jiff::Timestamp;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// Everybody does one thing in each round, all within the same moment if they can.
const ROUND: Duration = Duration::from_secs(15);
/// How long the moment is, in milliseconds.
const MOMENT: u64 = 400;

/// For how many minutes they do nothing, now and then: a little longer than a blob without files is kept.
const PAUSE: std::ops::RangeInclusive<u64> = 20..=23;

/// What many clients do in a round.
#[derive(Clone, Copy)]
struct Theme {
    /// For how long nobody does anything before, where there are pauses.
    pause: Option<Duration>,
    /// What, as the number that a client draws otherwise.
    what: u64,
    content: usize,
    name: u64,
}

impl Theme {
    fn of(rng: &Rng) -> Self {
        let pause = Duration::from_mins(rng.within(PAUSE));
        Self {
            pause: (rng.within(0..5) == 0).then_some(pause),
            what: rng.within(0..41),
            content: some_content(rng),
            name: rng.within(0..4),
        }
    }
}

/// What the clients of an account know of it.
#[derive(Default)]
pub(super) struct Known {
    /// The files that were stored, and which content each has.
    files: BTreeMap<String, usize>,
    /// The folders that they have made.
    folders: Vec<String>,
    /// How often somebody has begun or ended to remove files of which nobody has noted where they are.
    doubts: u64,
    /// Somebody has deleted the account, or tried to: nobody knows in which of two accounts a file is.
    is_uncertain: bool,
}

impl Known {
    /// Files are being removed, or just were: maybe these.
    fn doubt(&mut self) {
        self.files.clear();
        self.doubts += 1;
    }

    /// A file was stored since there were so many doubts: it must be there, unless it may be among those that were removed.
    fn keep(&mut self, file: String, content: usize, doubts: u64) {
        if doubts == self.doubts {
            self.files.insert(file, content);
        }
    }
}

/// One client.
pub(super) struct User<'w> {
    world: &'w World,
    rng: Rng,
    /// All clients draw the same themes from it.
    themes: Rng,
    began: Timestamp,
    number: usize,
    username: String,
    steps: &'w RefCell<Vec<String>>,
    person: Option<Person<'w>>,
    known: Rc<RefCell<Known>>,
}

impl<'w> User<'w> {
    pub(super) fn new(
        world: &'w World,
        number: usize,
        username: String,
        known: &Rc<RefCell<Known>>,
        steps: &'w RefCell<Vec<String>>,
        themes: u64,
    ) -> Self {
        Self {
            world,
            rng: Rng::seeded(world.rng.random()),
            themes: Rng::seeded(themes),
            began: world.cloud.now(),
            number,
            username,
            steps,
            person: None,
            known: Rc::clone(known),
        }
    }

    /// Does one thing in each of so many rounds.
    pub(super) async fn live(&mut self, rounds: usize, pauses: bool) {
        for _ in 0..5 {
            self.person = Person::sign_up(self.world, &self.username).await;
            if self.person.is_some() {
                break;
            }
        }
        let Some(person) = self.person.take() else {
            return self.note("sign up", "could not");
        };
        for _ in 0..rounds {
            let theme = Theme::of(&self.themes);
            if let Some(pause) = theme.pause.filter(|_| pauses) {
                sleep(pause).await;
            }
            self.wait_for_round().await;
            let mine = if self.rng.within(0..10) < 6 {
                theme
            } else {
                Theme::of(&self.rng)
            };
            self.step(&person, mine).await;
        }
        self.person = Some(person);
    }

    async fn wait_for_round(&self) {
        let lived = self.world.cloud.now().duration_since(self.began).unsigned_abs();
        let into =
            Duration::from_millis(u64::try_from(lived.as_millis() % ROUND.as_millis()).unwrap_or_default());
        let moment = Duration::from_millis(self.rng.within(0..MOMENT));
        sleep(ROUND.saturating_sub(into) + moment).await;
    }

    fn note(&self, what: &str, result: &str) {
        let now = self.world.cloud.now();
        self.steps.borrow_mut().push(format!(
            "{now} client {} of {}: {what}: {result}",
            self.number, self.username
        ));
    }

    async fn step(&self, person: &Person<'w>, theme: Theme) {
        match theme.what {
            0..=6 => self.store(person, theme).await,
            7..=8 => self.replace(person, theme).await,
            9..=11 => self.delete(person).await,
            12..=13 => self.make_folder(person, theme).await,
            14 => self.delete_folder(person).await,
            15..=16 => self.abort(person, theme).await,
            17 => self.abandon(person, theme).await,
            18 => self.list(person).await,
            19 => self.sign_in_and_out(person).await,
            20 if self.rng.within(0..3) == 0 => self.delete_account(person).await,
            20..=21 => self.fetch(person).await,
            22..=24 => self.transfer(theme).await,
            25 => self.move_file(person, theme).await,
            26 => self.move_over_another(person, theme).await,
            27 => self.move_folder(person, theme).await,
            28..=29 => self.copy_file(person, theme).await,
            30 => self.copy_over_another(person, theme).await,
            31..=32 => self.restore(person).await,
            33 => self.empty_trash(person).await,
            34 => self.move_many(person).await,
            35 => self.delete_many(person).await,
            36 => self.restore_many(person).await,
            _ => self.use_versions(person, theme).await,
        }
    }

    async fn store(&self, person: &Person<'w>, theme: Theme) {
        let Theme { content, name, .. } = theme;
        let announced = self.rng.within(0..3) > 0;
        let conflict = ["rename", "fail"][self.rng.within(0..2_usize)];
        let parent = self.some_folder();
        let name = format!("file-{name}");
        let doubts = self.known.borrow().doubts;
        let stored = person
            .store(&name, parent.as_deref(), &CONTENTS[content], announced, conflict)
            .await;
        self.note(
            &format!("store content {content} as {name} in {parent:?}, or {conflict}"),
            &format!("{stored:?}"),
        );
        if let Ok(file) = stored {
            self.known.borrow_mut().keep(file, content, doubts);
        }
    }

    /// Of a file that others replace nobody can say which content it must have.
    async fn replace(&self, person: &Person<'w>, theme: Theme) {
        let Theme { content, name, .. } = theme;
        let name = format!("replaced-{name}");
        let stored = person
            .store(&name, None, &CONTENTS[content], true, "replace")
            .await;
        self.note(
            &format!("store content {content} in the place of {name}"),
            &format!("{stored:?}"),
        );
    }

    fn some_folder(&self) -> Option<String> {
        let known = self.known.borrow();
        self.rng
            .choose(&known.folders)
            .cloned()
            .filter(|_| self.rng.within(0..2) == 0)
    }

    fn some_file(&self) -> Option<(String, usize)> {
        let known = self.known.borrow();
        let files: Vec<_> = known.files.iter().collect();
        // The first one often, so that others choose it, too.
        let file = if self.rng.within(0..2) == 0 {
            files.first()
        } else {
            self.rng.choose(&files)
        };
        file.map(|(file, content)| ((*file).clone(), **content))
    }

    async fn fetch(&self, person: &Person<'w>) {
        if let Some((file, content)) = self.some_file() {
            let bytes = person.fetch(&file).await;
            let result = match bytes {
                None => "no answer",
                Some(bytes) if bytes == CONTENTS[content] => "the right bytes",
                Some(_) => "OTHER BYTES",
            };
            self.note(&format!("fetch {file}"), result);
        }
    }

    async fn list(&self, person: &Person<'w>) {
        let listed = person.call("GET", "/v1/files", None).await;
        let status = person.call("GET", "/v1/uploads", None).await.status;
        self.note("list", &format!("{} and {status}", listed.status));
    }

    async fn sign_in_and_out(&self, person: &Person<'w>) {
        let signed_in = person.sign_in().await;
        let status = if self.rng.within(0..3) == 0 {
            person.call("DELETE", "/v1/sessions", None).await.status
        } else {
            0
        };
        self.note("sign in and out", &format!("{signed_in:?}, {status}"));
    }

    /// From now on nothing of the account need be there, whatever is answered. Its name is for a new one.
    async fn delete_account(&self, person: &Person<'w>) {
        let body = json!({ "current_password": PASSWORD });
        let deleted = person.call("DELETE", "/v1/account", Some(body)).await;
        *self.known.borrow_mut() = Known {
            is_uncertain: true,
            ..Known::default()
        };
        self.note("delete the account", &deleted.status.to_string());
        let again = Person::sign_up(self.world, &self.username).await;
        self.note("sign up again", &format!("{:?}", again.map(|person| person.id)));
    }

    async fn make_folder(&self, person: &Person<'w>, theme: Theme) {
        let name = format!("folder-{}", theme.name);
        let conflict = ["rename", "fail"][self.rng.within(0..2_usize)];
        let wanted = json!({ "name": name, "on_conflict": conflict, "parent": self.some_folder() });
        let made = person.call("POST", "/v1/folders", Some(wanted)).await;
        self.note(&format!("make {name}, or {conflict}"), &made.status.to_string());
        if let Some(id) = made.body["id"].as_str() {
            self.known.borrow_mut().folders.push(id.to_owned());
        }
    }

    /// Begins an upload, sends something of it, and gives it up.
    async fn abort(&self, person: &Person<'w>, theme: Theme) {
        if let Some(upload) = self.begin(person, theme).await {
            let path = format!("/v1/uploads/{upload}");
            let answer = person.call("DELETE", &path, None).await;
            self.note(&format!("abort {upload}"), &answer.status.to_string());
        }
    }

    /// Begins an upload and forgets it.
    async fn abandon(&self, person: &Person<'w>, theme: Theme) {
        let upload = self.begin(person, theme).await;
        self.note("abandon", &format!("{upload:?}"));
    }

    async fn begin(&self, person: &Person<'w>, theme: Theme) -> Option<String> {
        let name = format!("file-{}", theme.name);
        let bytes = &CONTENTS[theme.content];
        let begun = person.begin(&name, None, bytes, false, "rename").await;
        let upload = begun.body["id"].as_str()?.to_owned();
        if self.rng.within(0..2) == 0 {
            let sent = person.send_parts(&upload, bytes).await;
            self.note(&format!("send {upload}"), &format!("{sent:?}"));
        }
        Some(upload)
    }

    /// What is not there that must be, or is not what it was.
    pub(super) async fn check(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let Some(person) = &self.person else {
            return broken;
        };
        if self.known.borrow().is_uncertain {
            return broken;
        }
        let files = self.known.borrow().files.clone();
        for (file, content) in files {
            if person.fetch(&file).await.as_ref() != Some(&CONTENTS[content]) {
                broken.push(format!(
                    "{} does not get content {content} of {file}",
                    self.username
                ));
            }
        }
        broken
    }
}
