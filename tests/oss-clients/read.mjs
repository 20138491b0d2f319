// Reads with ali-oss what somebody else wrote to OSS:
//
//     read.mjs get <key> <file>     download an object
//
// Where the server is, is in the environment: see checks.py and with_ali_oss.mjs.

import { connect } from "./with_ali_oss.mjs";

const [what, key, file] = process.argv.slice(2);
if (what !== "get" || !file) {
  console.error("read.mjs get <key> <file>");
  process.exit(2);
}
await connect().get(key, file);
