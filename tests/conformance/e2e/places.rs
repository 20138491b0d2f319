//! Buckets, tables and queues of a scenario's own.

use crate::server::{Server, new_name, send};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_sdk_sqs::types::QueueAttributeName;
use conformance::Pending;
use conformance::s3::Wire;
use conformance::sqs::{MAX_RECEIVES, VISIBILITY};
use conformance::{dynamodb, s3, secrets, sqs};
use std::time::{Duration, SystemTime};

/// The configuration of a client: each SDK crate has a type of its own for it.
macro_rules! config {
    ($sdk:ident, $server:expr) => {{
        use $sdk::config::{BehaviorVersion, Builder, Credentials, Region, retry::RetryConfig};
        let [id, secret] = &$server.keys;
        Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new($server.region.clone()))
            .endpoint_url(&$server.endpoint)
            .credentials_provider(Credentials::new(id, secret, None, None, "test"))
            .retry_config(RetryConfig::disabled())
    }};
}

pub(crate) async fn s3_place(server: &Server) -> s3::Place {
    let config = config!(aws_sdk_s3, server).force_path_style(true);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let bucket = new_name();
    client.create_bucket().bucket(&bucket).send().await.unwrap();
    let wire = Wire::new(SystemTime::now(), send);
    s3::Place { client, bucket, wire }
}

pub(crate) async fn remove_bucket(place: s3::Place) {
    let (client, bucket) = (&place.client, &place.bucket);
    let open = client
        .list_multipart_uploads()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    for upload in open.uploads() {
        let abort = client.abort_multipart_upload().bucket(bucket);
        let abort = abort
            .set_key(upload.key.clone())
            .set_upload_id(upload.upload_id.clone());
        abort.send().await.unwrap();
    }
    loop {
        let listed = client.list_objects_v2().bucket(bucket).send().await.unwrap();
        if listed.contents().is_empty() {
            break;
        }
        let objects = listed.contents().iter().map(|object| {
            let object = ObjectIdentifier::builder().key(object.key().unwrap());
            object.build().unwrap()
        });
        let delete = Delete::builder().set_objects(Some(objects.collect())).quiet(true);
        let delete = client
            .delete_objects()
            .bucket(bucket)
            .delete(delete.build().unwrap());
        delete.send().await.unwrap();
    }
    client.delete_bucket().bucket(bucket).send().await.unwrap();
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    let attribute = AttributeDefinition::builder().attribute_name(name);
    attribute.attribute_type(kind).build().unwrap()
}

fn schema(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    let keys = [(hash, KeyType::Hash), (range, KeyType::Range)];
    let keys = keys.map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind));
    keys.map(|key| key.build().unwrap()).to_vec()
}

/// A table as `infra/template.yaml` has it.
pub(crate) async fn dynamodb_place(server: &Server) -> dynamodb::Place {
    let client = aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, server).build());
    let table = new_name();
    let mut create = client.create_table().table_name(&table);
    create = create.billing_mode(BillingMode::PayPerRequest);
    create = create.set_key_schema(Some(schema("pk", "sk")));
    for name in ["pk", "sk"] {
        create = create.attribute_definitions(attribute(name, ScalarAttributeType::S));
    }
    for (name, hash, range, kind) in [
        ("due", "due_shard", "due_at", ScalarAttributeType::N),
        (
            "waiting",
            "waiting_shard",
            "waiting_since",
            ScalarAttributeType::N,
        ),
        ("open", "open_account", "open_in", ScalarAttributeType::S),
    ] {
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly);
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(schema(hash, range)))
            .projection(keys_only.build());
        create = create
            .attribute_definitions(attribute(hash, ScalarAttributeType::S))
            .attribute_definitions(attribute(range, kind))
            .global_secondary_indexes(index.build().unwrap());
    }
    create.send().await.unwrap();
    dynamodb::Place { client, table }
}

pub(crate) async fn remove_table(place: dynamodb::Place) {
    let delete = place.client.delete_table().table_name(place.table);
    delete.send().await.unwrap();
}

pub(crate) async fn sqs_place(server: &Server) -> sqs::Place {
    let client = aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, server).build());
    let name = new_name();
    let visibility = VISIBILITY.to_string();
    let create = |name: String| {
        let create = client.create_queue().queue_name(name);
        create.attributes(QueueAttributeName::VisibilityTimeout, &visibility)
    };
    let dead = create(format!("{name}-dead")).send().await.unwrap();
    let dead = dead.queue_url.unwrap();
    let arn = QueueAttributeName::QueueArn;
    let about = client.get_queue_attributes().queue_url(&dead);
    let about = about.attribute_names(arn.clone()).send().await.unwrap();
    let arn = &about.attributes().unwrap()[&arn];
    let redrive = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"{MAX_RECEIVES}"}}"#);
    let queue = create(name).attributes(QueueAttributeName::RedrivePolicy, redrive);
    let url = queue.send().await.unwrap().queue_url.unwrap();
    let wait = |seconds: u32| tokio::time::sleep(Duration::from_secs(seconds.into()));
    sqs::Place {
        client,
        url,
        dead,
        wait: Box::new(move |seconds| Box::pin(wait(seconds))),
    }
}

pub(crate) async fn remove_queues(place: sqs::Place) {
    for url in [place.url, place.dead] {
        place.client.delete_queue().queue_url(url).send().await.unwrap();
    }
}

pub(crate) async fn secrets_place(server: &Server) -> secrets::Place {
    let client = aws_sdk_secretsmanager::Client::from_conf(config!(aws_sdk_secretsmanager, server).build());
    let name = new_name();
    let create = client.create_secret().name(&name).secret_string(secrets::FIRST);
    let arn = create.send().await.unwrap().arn.unwrap();
    let (writer, id) = (client.clone(), arn.clone());
    let put = move |value: &'static str| -> Pending<'static, ()> {
        let put = writer.put_secret_value().secret_id(&id).secret_string(value);
        Box::pin(async {
            // Dates may be whole seconds.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            put.send().await.unwrap();
        })
    };
    secrets::Place {
        client,
        name,
        arn,
        put: Box::new(put),
    }
}

pub(crate) async fn remove_secret(place: secrets::Place) {
    let delete = place.client.delete_secret().secret_id(&place.arn);
    delete.force_delete_without_recovery(true).send().await.unwrap();
}
