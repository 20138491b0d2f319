//! What `infra/template.yaml` says of functions and queues: the simulation deploys the same file as AWS does.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

/// The template cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("infra/template.yaml: {0}")]
pub struct TemplateError(String);

/// What the template deploys, as far as the simulation needs it.
#[derive(Debug, Clone)]
pub struct Template {
    /// The functions by name.
    pub functions: BTreeMap<String, FunctionSettings>,
    /// The queues by logical id.
    pub queues: BTreeMap<String, QueueSettings>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionSettings {
    /// What its environment has.
    pub variables: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Its memory, in MiB.
    pub memory_mib: u64,
    /// The queues whose messages it works on.
    pub sources: Vec<Source>,
}

/// A queue whose messages invoke a function.
#[derive(Debug, Clone)]
pub struct Source {
    /// The queue's logical id.
    pub queue: String,
    /// The most messages of one invocation.
    pub batch: usize,
    /// The most invocations at a time.
    pub concurrency: usize,
}

/// A queue.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// For how long a received message is invisible, in seconds.
    pub visibility_seconds: i64,
    /// Where messages go that were received more often than this, if anywhere.
    pub redrive: Option<(String, u32)>,
}

/// How many resources of a type the template has.
pub(crate) fn count(kind: &str) -> u32 {
    let resources = document()
        .ok()
        .and_then(|document| document["Resources"].as_object());
    let of_kind = resources
        .into_iter()
        .flatten()
        .filter(|(_, one)| one["Type"] == kind);
    u32::try_from(of_kind.count()).unwrap_or(u32::MAX)
}

/// The template, with `!Ref x` as `{"!Ref": x}`. It is read once, and not for each world.
///
/// # Errors
/// [`TemplateError`] when it is no YAML.
pub(crate) fn document() -> Result<&'static Value, TemplateError> {
    static DOCUMENT: LazyLock<Result<Value, String>> = LazyLock::new(|| {
        let documents = Yaml::load_from_str(TEMPLATE).map_err(|error| error.to_string())?;
        Ok(documents.first().map(value).unwrap_or_default())
    });
    DOCUMENT.as_ref().map_err(|error| TemplateError(error.clone()))
}

impl Template {
    /// Reads it with these parameters; all others have their defaults.
    ///
    /// # Errors
    /// [`TemplateError`] naming what is missing or not of the shape that the simulation knows.
    pub fn read(parameters: &BTreeMap<&str, String>) -> Result<Self, TemplateError> {
        let document = document()?;
        let reader = Reader { document, parameters };
        let (mut functions, mut queues) = (BTreeMap::new(), BTreeMap::new());
        for (id, resource) in document["Resources"].as_object().into_iter().flatten() {
            let properties = &resource["Properties"];
            match resource["Type"].as_str() {
                Some("AWS::Serverless::Function") => {
                    let name = &resource["Metadata"]["BuildProperties"]["Binary"];
                    functions.insert(text(name, id)?, reader.function(id, properties)?);
                }
                Some("AWS::SQS::Queue") => {
                    queues.insert(id.clone(), reader.queue(id, properties)?);
                }
                _ => {}
            }
        }
        Ok(Self { functions, queues })
    }
}

struct Reader<'a> {
    document: &'a Value,
    parameters: &'a BTreeMap<&'a str, String>,
}

impl Reader<'_> {
    fn function(&self, id: &str, properties: &Value) -> Result<FunctionSettings, TemplateError> {
        let shared = &self.document["Globals"]["Function"]["Environment"]["Variables"];
        let own = &properties["Environment"]["Variables"];
        let mut variables = BTreeMap::new();
        for (name, value) in [shared, own].into_iter().filter_map(Value::as_object).flatten() {
            variables.insert(name.clone(), self.text(value, id)?);
        }
        let mut sources = Vec::new();
        for event in properties["Events"].as_object().into_iter().flat_map(Map::values) {
            let source = &event["Properties"];
            if event["Type"] == "SQS" {
                sources.push(Source {
                    queue: logical(&source["Queue"], id)?,
                    batch: self.number(&source["BatchSize"], id)?,
                    concurrency: self.number(&source["ScalingConfig"]["MaximumConcurrency"], id)?,
                });
            }
        }
        Ok(FunctionSettings {
            variables,
            timeout: Duration::from_secs(self.number(&properties["Timeout"], id)?),
            memory_mib: self.number(&properties["MemorySize"], id)?,
            sources,
        })
    }

    fn queue(&self, id: &str, properties: &Value) -> Result<QueueSettings, TemplateError> {
        let policy = &properties["RedrivePolicy"];
        let redrive = if policy.is_null() {
            None
        } else {
            let to = logical(&policy["deadLetterTargetArn"], id)?;
            Some((to, self.number(&policy["maxReceiveCount"], id)?))
        };
        let visibility = &properties["VisibilityTimeout"];
        Ok(QueueSettings {
            visibility_seconds: if visibility.is_null() {
                30
            } else {
                self.number(visibility, id)?
            },
            redrive,
        })
    }

    fn number<T: std::str::FromStr>(&self, value: &Value, of: &str) -> Result<T, TemplateError> {
        let text = self.text(value, of)?;
        text.parse()
            .map_err(|_| TemplateError(format!("{of}: {text} is no whole number")))
    }

    /// What a value is when it is deployed. Resources are called by their logical ids.
    fn text(&self, value: &Value, of: &str) -> Result<String, TemplateError> {
        if let Some(name) = value["!Ref"].as_str() {
            if let Some(said) = self.parameters.get(name) {
                return Ok(said.clone());
            }
            let parameter = &self.document["Parameters"][name];
            if parameter.is_null() {
                return Ok(name.to_owned());
            }
            return text(&parameter["Default"], name);
        }
        if let Some(attribute) = value["!GetAtt"].as_str() {
            return Ok(attribute.split('.').next().unwrap_or_default().to_owned());
        }
        if let Some(pattern) = value["!Sub"].as_str() {
            return Ok(pattern.replace("${AWS::StackName}", "simulation"));
        }
        text(value, of)
    }
}

fn logical(value: &Value, of: &str) -> Result<String, TemplateError> {
    let attribute = value["!GetAtt"].as_str();
    let id = attribute.and_then(|attribute| attribute.strip_suffix(".Arn"));
    id.map(str::to_owned)
        .ok_or_else(|| TemplateError(format!("{of}: {value} is no resource")))
}

fn text(value: &Value, of: &str) -> Result<String, TemplateError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(TemplateError(format!("{of}: {value} is not understood"))),
    }
}

fn value(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::Boolean(yes)) => json!(yes),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(**number),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(members) => members
            .iter()
            .map(|(key, member)| (key.as_str().unwrap_or_default().to_owned(), value(member)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Tagged(tag, inner) => json!({ format!("!{}", tag.suffix): value(inner) }),
        Yaml::Value(Scalar::Null) | Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_what_the_template_says() {
        let parameters = BTreeMap::from([("MaxReceives", "3".to_owned())]);
        let template = Template::read(&parameters).unwrap();
        let worker = &template.functions["replicate"];
        assert_eq!(worker.variables["MAX_RECEIVES"], "3");
        assert_eq!(worker.variables["TABLE_NAME"], "Table");
        assert_eq!(worker.variables["TARGETS_SECRET_ID"], "TargetsSecret");
        assert_eq!(worker.timeout, Duration::from_mins(15));
        assert_eq!(worker.memory_mib, 1024);
        let sources: Vec<_> = worker
            .sources
            .iter()
            .map(|it| (it.queue.as_str(), it.batch))
            .collect();
        assert_eq!(sources, [("ReplicateQueue", 10), ("CopyQueue", 2)]);
        let queue = &template.queues["CopyQueue"];
        assert_eq!(queue.redrive, Some(("ReplicateDeadLetters".to_owned(), 20)));
        assert_eq!(queue.visibility_seconds, 960);
        assert_eq!(template.functions.len(), functions::ALL.len());
    }
}
