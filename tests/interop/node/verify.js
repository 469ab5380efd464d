// Checks receipts with sigstore's verifier for JavaScript, which shares no code with jixiao.
//
//   node verify.js FOLDER VKEY RECEIPTS     (in the folder that has node_modules)
//
// The event of each receipt is taken from the folder's entry bundle, not from the file beside the receipt. Prints one JSON object,
// or one line on standard error and exit code 1.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

// The package exports only its whole-bundle verifier; the parts that speak of logs are files of it.
const parts = path.join(process.cwd(), "node_modules", "@sigstore", "verify", "dist", "tlog");
const { verifyCheckpoint } = require(path.join(parts, "checkpoint.js"));
const { verifyMerkleInclusion } = require(path.join(parts, "merkle.js"));

const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex"); // RFC 8410 section 4, before the 32 bytes
const WIDTH = 256;

function authority(vkey) {
  const [name, id, ...key] = vkey.trim().split("+");
  const raw = Buffer.from(key.join("+"), "base64").subarray(1);
  const publicKey = crypto.createPublicKey({ key: Buffer.concat([ED25519_SPKI, raw]), format: "der", type: "spki" });
  return { logID: Buffer.from(id, "hex"), publicKey, baseURL: name };
}

function bundle(folder, number, size) {
  const count = Math.min(WIDTH, size - number * WIDTH);
  let name = String(number % 1000).padStart(3, "0");
  for (let rest = Math.floor(number / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, "0")}/${name}`;
  }
  const data = fs.readFileSync(path.join(folder, "tile", "entries", count === WIDTH ? name : `${name}.p/${count}`));
  const entries = [];
  for (let place = 0; place < data.length; ) {
    const end = place + 2 + data.readUInt16BE(place);
    entries.push(data.subarray(place + 2, end));
    place = end;
  }
  return entries;
}

function parse(text) {
  const cut = text.indexOf("\n\n");
  const [header, index, ...hashes] = text.slice(0, cut).split("\n");
  if (header !== "c2sp.org/tlog-proof@v1") throw new Error("no receipt");
  return {
    logIndex: index.replace("index ", ""),
    hashes: hashes.map((line) => Buffer.from(line, "base64")),
    checkpoint: { envelope: text.slice(cut + 2) },
  };
}

async function main([folder, vkey, receipts]) {
  const { canonicalize } = await import(path.join(process.cwd(), "node_modules/canonicalize/lib/canonicalize.js")).then(
    (module) => ({ canonicalize: module.default ?? module.canonicalize }),
  );
  const log = authority(fs.readFileSync(vkey, "utf8"));
  const open = (inclusionProof) => verifyCheckpoint({ inclusionProof }, [log]);
  const head = open({ checkpoint: { envelope: fs.readFileSync(path.join(folder, "checkpoint"), "utf8") } });
  const size = Number(head.logSize);
  let count = 0;
  for (const name of fs.readdirSync(receipts).filter((name) => name.endsWith(".tlog-proof"))) {
    const inclusionProof = parse(fs.readFileSync(path.join(receipts, name), "utf8"));
    const index = Number(inclusionProof.logIndex);
    const canonicalizedBody = bundle(folder, Math.floor(index / WIDTH), size)[index % WIDTH];
    verifyMerkleInclusion({ canonicalizedBody, inclusionProof }, open(inclusionProof));
    const text = canonicalizedBody.toString("utf8");
    if (canonicalize(JSON.parse(text)) !== text) throw new Error(`entry ${index} is not canonical (RFC 8785)`);
    count += 1;
  }
  console.log(JSON.stringify({ size, root: head.logHash.toString("hex"), receipts: count }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
