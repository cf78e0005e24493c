/**
 * Sends messages by node-hl7-client, and prints MSA-1 and MSA-2 of each answer as the client parsed it.
 *
 * Arguments: port, the sender's name, how many messages, `waits` (for each answer before the next message) or
 * `pipelines`.
 */
import { Client, Message } from "node-hl7-client";

const [port, sender, count, way] = process.argv.slice(2);
const messages = Number(count);

const patient = (id) =>
  new Message({
    text: [
      `MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|CLOUD|20261122101500||ADT^A08^ADT_A01|${id}|P|2.5.1`,
      "EVN|A08|20261122101500",
      `PID|1||${sender}^^^SUNRISE^MR||Testperson^Node||19700101|F`,
    ].join("\r"),
  });

let answered = 0;
let next = () => {};
const client = new Client({ host: "127.0.0.1" });
const connection = client.createConnection({ port: Number(port), waitAck: way === "waits" }, (answer) => {
  // It takes answers that arrive in one piece for one message: each has its own MSA all the same.
  for (const msa of answer.getMessage().toString().split("\r").filter((line) => line.startsWith("MSA|"))) {
    console.log(msa.split("|").slice(1, 3).join(" "));
    answered += 1;
  }
  next();
});
connection.on("client.error", (error) => {
  console.error(error);
  process.exit(1);
});

for (let number = 0; number < messages; number += 1) {
  const reply = new Promise((resolve) => (next = resolve));
  await connection.sendMessage(patient(`${sender}-${number}`));
  if (way === "waits") await reply;
}
while (answered < messages) await new Promise((resolve) => (next = resolve));
await connection.close();
process.exit(0);
