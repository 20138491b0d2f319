// What the official client for Node.js, ali-oss, sees of an OSS server. It takes the environment, does the checks and
// prints the outcomes as checks.py does for the clients in Python. LONGSHORE_OSS_CLIENTS is the folder with node_modules.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const { env } = process;
const OSS = createRequire(path.join(env.LONGSHORE_OSS_CLIENTS, "package.json"))("ali-oss");

const PREFIX = "ali-oss/";
const DIGITS = Buffer.from("123456789");
const DIGITS_CRC64 = "11051210869376104954";
const UNICODE_KEY = "Äpfel & Birnen/北京 +%20?#=~'\"<>/emoji 🚢.txt";
// The smallest parts that there may be, and a last one that may be smaller.
const PARTS = [[1, 102400], [2, 102401], [3, 5]].map(([byte, size]) => Buffer.alloc(size, byte));

export function connect() {
  return new OSS({
    endpoint: env.OSS_ENDPOINT,
    // As people write it here; the client signs cn-hangzhou.
    region: `oss-${env.OSS_REGION}`,
    bucket: env.OSS_BUCKET,
    accessKeyId: env.OSS_ACCESS_KEY_ID,
    accessKeySecret: env.OSS_SECRET_ACCESS_KEY,
    stsToken: env.OSS_SECURITY_TOKEN,
    authorizationV4: true,
    cname: Boolean(env.OSS_CNAME),
  });
}

const client = connect();

const md5Of = (data) => createHash("md5").update(data).digest("base64");

/** The action must be refused with this code. Another refusal is passed on. */
async function refused(code, action) {
  try {
    await action();
  } catch (error) {
    if (error.code !== code) throw error;
    return;
  }
  assert.fail(`not refused with ${code}`);
}

/** What a browser gets. */
function fetchUrl(url) {
  // When the endpoint is an address, the client puts the bucket's public name into the Host header of its own
  // requests, and no bucket at all into the URL.
  const host = env.OSS_CNAME ? {} : { host: `${env.OSS_BUCKET}.oss-${env.OSS_REGION}.aliyuncs.com` };
  return new Promise((resolve, reject) => {
    http
      .get(url, { headers: host }, async (answer) => {
        const body = Buffer.concat(await answer.toArray());
        if (answer.statusCode < 300) return resolve({ headers: answer.headers, body });
        const { Code } = await client.parseXML(body);
        reject(Object.assign(new Error(`${answer.statusCode} ${Code}`), { code: Code }));
      })
      .on("error", reject);
  });
}

async function sendParts(key, uploadId) {
  const parts = [];
  for (const [index, data] of PARTS.entries()) {
    const source = { stream: Readable.from([data]), size: data.length };
    const sent = await client._uploadPart(key, uploadId, index + 1, source, {});
    parts.push({ number: index + 1, etag: sent.etag });
  }
  return parts;
}

async function allKeys(query) {
  const found = [];
  let token;
  do {
    const page = await client.listV2({ ...query, "max-keys": 2, "continuation-token": token });
    found.push(...(page.objects ?? []).map(({ name }) => name), ...(page.prefixes ?? []));
    token = page.nextContinuationToken;
  } while (token);
  return found.sort();
}

const CHECKS = {
  async put_get() {
    const put = await client.put(`${PREFIX}digits`, DIGITS, { mime: "text/plain", meta: { a: "b" } });
    // The client does not compare checksums itself.
    assert.equal(put.res.headers["x-oss-hash-crc64ecma"], DIGITS_CRC64);
    const got = await client.get(`${PREFIX}digits`);
    assert.deepEqual(got.content, DIGITS);
    assert.equal(got.res.headers["x-oss-hash-crc64ecma"], DIGITS_CRC64);
    assert.equal(got.res.headers["content-type"], "text/plain");
    assert.equal(got.res.headers["x-oss-meta-a"], "b");
  },

  async head() {
    const put = await client.put(`${PREFIX}head`, DIGITS);
    const { res } = await client.head(`${PREFIX}head`);
    assert.equal(res.headers["content-length"], "9");
    assert.equal(res.headers.etag, put.res.headers.etag);
    await refused("NoSuchKey", () => client.head(`${PREFIX}none`));
    await refused("NoSuchKey", () => client.get(`${PREFIX}none`));
  },

  async content_md5() {
    await client.put(`${PREFIX}md5`, DIGITS, { headers: { "Content-MD5": md5Of(DIGITS) } });
    const wrong = { headers: { "Content-MD5": md5Of("others") } };
    await refused("InvalidDigest", () => client.put(`${PREFIX}md5-wrong`, DIGITS, wrong));
    await refused("NoSuchKey", () => client.head(`${PREFIX}md5-wrong`));
  },

  async range_get() {
    await client.put(`${PREFIX}range`, DIGITS);
    const got = await client.get(`${PREFIX}range`, { headers: { Range: "bytes=2-4" } });
    assert.equal(got.content.toString(), "345");
    assert.equal(got.res.headers["content-range"], "bytes 2-4/9");
    assert.equal(got.res.headers["x-oss-hash-crc64ecma"], DIGITS_CRC64);
  },

  async unicode_key() {
    const key = PREFIX + UNICODE_KEY;
    await client.put(key, DIGITS);
    assert.deepEqual((await client.get(key)).content, DIGITS);
    assert.deepEqual(await allKeys({ prefix: key }), [key]);
    const { body } = await fetchUrl(await client.signatureUrlV4("GET", 60, {}, key));
    assert.deepEqual(body, DIGITS);
  },

  async list_objects() {
    const keys = ["a b", "b/1", "b/2", "c", "d"].map((name) => `${PREFIX}list/${name}`);
    for (const key of keys) await client.put(key, DIGITS);
    const prefix = `${PREFIX}list/`;
    assert.deepEqual(await allKeys({ prefix }), keys);
    const byFolder = ["a b", "b/", "c", "d"].map((name) => prefix + name);
    assert.deepEqual(await allKeys({ prefix, delimiter: "/" }), byFolder);
    const first = await client.list({ prefix, "max-keys": 3 });
    const rest = await client.list({ prefix, "max-keys": 3, marker: first.nextMarker });
    assert.deepEqual([...first.objects, ...rest.objects].map(({ name }) => name), keys);
  },

  async delete() {
    const keys = ["1", "2", "3 &"].map((name) => `${PREFIX}delete/${name}`);
    for (const key of keys) await client.put(key, DIGITS);
    await client.delete(keys[0]);
    await client.delete(keys[0]);
    const { deleted } = await client.deleteMulti(keys.slice(1));
    assert.deepEqual(deleted.map(({ Key }) => Key), keys.slice(1));
    assert.deepEqual(await allKeys({ prefix: `${PREFIX}delete/` }), []);
  },

  async forbid_overwrite() {
    const key = `${PREFIX}forbidden`;
    const once = { headers: { "x-oss-forbid-overwrite": "true" } };
    await client.delete(key);
    await client.put(key, DIGITS, once);
    await refused("FileAlreadyExists", () => client.put(key, Buffer.from("others"), once));
    await refused("FileAlreadyExists", () => client.initMultipartUpload(key, once));
    const { uploadId } = await client.initMultipartUpload(key);
    const parts = await sendParts(key, uploadId);
    await refused("FileAlreadyExists", () => client.completeMultipartUpload(key, uploadId, parts, once));
    await client.abortMultipartUpload(key, uploadId);
    assert.deepEqual((await client.get(key)).content, DIGITS);
  },

  async presigned_get() {
    await client.put(`${PREFIX}signed`, DIGITS);
    const queries = {
      "response-content-disposition": 'attachment; filename="a b.txt"',
      "response-content-type": "text/x-a",
    };
    const { headers, body } = await fetchUrl(
      await client.signatureUrlV4("GET", 60, { queries }, `${PREFIX}signed`),
    );
    assert.deepEqual(body, DIGITS);
    assert.deepEqual([headers["content-disposition"], headers["content-type"]], Object.values(queries));
  },

  async multipart() {
    const key = `${PREFIX}multipart`;
    const { uploadId } = await client.initMultipartUpload(key);
    const parts = await sendParts(key, uploadId);
    const listed = await client.listParts(key, uploadId);
    assert.deepEqual(
      listed.parts.map(({ PartNumber, ETag }) => ({ number: Number(PartNumber), etag: ETag })),
      parts,
    );
    const done = await client.completeMultipartUpload(key, uploadId, parts);
    const got = await client.get(key);
    assert.ok(got.content.equals(Buffer.concat(PARTS)));
    assert.equal(got.res.headers.etag, done.etag);
    assert.equal(got.res.headers["x-oss-hash-crc64ecma"], done.res.headers["x-oss-hash-crc64ecma"]);
    await refused("NoSuchUpload", () => client.completeMultipartUpload(key, uploadId, parts));
  },

  async wrong_parts() {
    const key = `${PREFIX}wrong-parts`;
    const { uploadId } = await client.initMultipartUpload(key);
    const [one, two] = await sendParts(key, uploadId);
    const other = { number: 2, etag: one.etag };
    await refused("InvalidPart", () => client.completeMultipartUpload(key, uploadId, [one, other]));
    const three = { number: 3, etag: (await client.listParts(key, uploadId)).parts[2].ETag };
    const source = { stream: Readable.from([Buffer.from("x")]), size: 1 };
    const four = { number: 4, etag: (await client._uploadPart(key, uploadId, 4, source, {})).etag };
    const small = [one, two, three, four];
    await refused("EntityTooSmall", () => client.completeMultipartUpload(key, uploadId, small));
    await client.abortMultipartUpload(key, uploadId);
  },

  async abort_and_list() {
    const key = `${PREFIX}aborted +`;
    const begun = [];
    for (let count = 0; count < 3; count += 1) {
      begun.push((await client.initMultipartUpload(key)).uploadId);
    }
    const first = await client.listUploads({ prefix: key, "max-uploads": 2 });
    const rest = await client.listUploads({
      prefix: key,
      "key-marker": first.nextKeyMarker,
      "upload-id-marker": first.nextUploadIdMarker,
    });
    assert.deepEqual([...first.uploads, ...rest.uploads].map(({ uploadId }) => uploadId), begun.sort());
    for (const uploadId of begun) {
      await client.abortMultipartUpload(key, uploadId);
      await refused("NoSuchUpload", () => client.abortMultipartUpload(key, uploadId));
    }
    assert.deepEqual((await client.listUploads({ prefix: key })).uploads, []);
  },
};

async function run(names) {
  const outcomes = {};
  for (const name of names.length > 0 ? names : Object.keys(CHECKS)) {
    try {
      await CHECKS[name]();
      outcomes[name] = "ok";
    } catch (error) {
      const isRefusal = typeof error.code === "string" && !error.code.startsWith("ERR_");
      outcomes[name] = isRefusal ? error.code : String(error);
    }
  }
  console.log(JSON.stringify(outcomes));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(process.argv.slice(2));
}
