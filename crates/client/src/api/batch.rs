//! Many files and folders in one request.

use super::Api;
use crate::error::{ApiError, Problem};
use crate::http::Call;
use crate::types::{Batch, BatchDone, BatchItem, Node};
use backon::BackoffBuilder;
use serde::Deserialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use wire::batch;

#[derive(Deserialize)]
struct Results {
    results: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    node: Option<Node>,
    #[serde(default)]
    open_uploads: u64,
    #[serde(default)]
    problem: Option<Problem>,
}

/// Files and folders of which some are done, and some have to be asked for again.
struct Asking<'a> {
    batch: &'a Batch,
    left: Vec<BatchItem<'a>>,
    /// May have been done by a request that said nothing of it.
    in_doubt: HashSet<String>,
    results: HashMap<String, Result<BatchDone, ApiError>>,
}

impl Api {
    /// `POST /v1/files/batch`: does the same to files and folders, [`MOST_ITEMS`](batch::MOST_ITEMS) at most and none twice. Says of each what became of it.
    /// What could not be done at that moment is asked for again, as by a call that is about one.
    pub async fn batch(&self, batch: &Batch, ids: &[&str]) -> Vec<Result<BatchDone, ApiError>> {
        let items: Vec<_> = ids.iter().map(|id| BatchItem::from(*id)).collect();
        self.batch_of(batch, &items).await
    }

    /// The same to those that are of the versions that are said, where any are.
    pub async fn batch_of(&self, batch: &Batch, items: &[BatchItem<'_>]) -> Vec<Result<BatchDone, ApiError>> {
        let mut asking = Asking {
            batch,
            left: items.to_vec(),
            in_doubt: HashSet::new(),
            results: HashMap::new(),
        };
        let mut waits = self.http.retry.build();
        loop {
            if let Err(error) = self.ask(&mut asking).await {
                let failed = |item: &BatchItem<'_>| (item.id.to_owned(), Err(error.clone()));
                asking.results.extend(asking.left.iter().map(failed));
                break;
            }
            match waits.next() {
                Some(wait) if !asking.left.is_empty() => tokio::time::sleep(wait).await,
                _ => break,
            }
        }
        let not_said = || ApiError::Unexpected {
            call: "a batch".to_owned(),
            reason: "it does not say what became of all items".to_owned(),
        };
        let result = |item: &BatchItem<'_>| {
            let result = asking.results.remove(item.id);
            result.unwrap_or_else(|| Err(not_said()))
        };
        items.iter().map(result).collect()
    }

    /// Asks for what is left, once.
    async fn ask(&self, asking: &mut Asking<'_>) -> Result<(), ApiError> {
        let mut body = json!(asking.batch);
        body["items"] = json!(asking.left);
        // What was done is not done twice.
        let call = Call::to::<batch::Batch>().body(body).repeatable();
        let answer = self.http.send(&call).await?;
        let Results { results } = answer.json(&call)?;
        if answer.may_be_second {
            let may_be_done = asking.left.iter().map(|item| item.id.to_owned());
            asking.in_doubt.extend(may_be_done);
        }
        for mut item in results {
            if let Some(problem) = &mut item.problem {
                problem.carried = self.http.credentials.kind();
            }
            asking.note(item);
        }
        let results = &asking.results;
        asking
            .left
            .retain(|item| results.get(item.id).is_some_and(passes));
        Ok(())
    }
}

impl Asking<'_> {
    fn note(&mut self, item: Item) {
        let Item {
            id,
            node,
            open_uploads,
            problem,
        } = item;
        let done = BatchDone { node, open_uploads };
        let result = match problem {
            None => Ok(done),
            Some(problem) if self.is_gone(&id, &problem) => Ok(done),
            Some(problem) => {
                if problem.status >= 500 {
                    self.in_doubt.insert(id.clone());
                }
                Err(ApiError::Problem(Box::new(problem)))
            }
        };
        self.results.insert(id, result);
    }

    /// Whether it is not there because an earlier request has removed it.
    fn is_gone(&self, id: &str, problem: &Problem) -> bool {
        *self.batch == Batch::Delete && problem.code == "not_found" && self.in_doubt.contains(id)
    }
}

/// Whether it may be another one when it is asked for again.
fn passes(result: &Result<BatchDone, ApiError>) -> bool {
    let Err(ApiError::Problem(problem)) = result else {
        return false;
    };
    matches!(problem.status, 503 | 429) || problem.code == "changed_meanwhile"
}
