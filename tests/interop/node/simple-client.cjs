/**
 * Sends messages by simple-hl7's client over one connection that stays open, and prints MSA-1 and MSA-2 of each answer.
 * With `careless` as the last argument it does before each message what careless senders do: it writes what no frame
 * holds, and a frame that breaks off.
 *
 * Arguments: port, the sender's name, how many messages.
 */
const hl7 = require("simple-hl7");

const [port, sender, count, careless] = process.argv.slice(2);
const client = hl7.Server.createTcpClient({ host: "127.0.0.1", port: Number(port), keepalive: true });

const patient = (id) => {
  const message = new hl7.Message(
    "SUNREG", "SUNRISE", "BRIDGE", "CLOUD", "20261122101500", "", ["ADT", "A08", "ADT_A01"], id, "P", "2.5.1",
  );
  message.addSegment("EVN", "A08", "20261122101500");
  message.addSegment("PID", "1", "", [sender, "", "", "SUNRISE", "MR"], "", ["Testperson", "Simple"], "", "19700101", "F");
  return message;
};

const answer = (msg) =>
  new Promise((resolve, reject) => client.send(msg, (error, ack) => (error ? reject(error) : resolve(ack))));

(async () => {
  for (let number = 0; number < Number(count); number += 1) {
    if (careless && client.client) {
      client.client.write(`hello\r\n\x0b${patient(`${sender}-torn-${number}`)}`);
    }
    const ack = await answer(patient(`${sender}-${number}`));
    const msa = ack.getSegment("MSA");
    console.log(`${msa.getComponent(1, 1)} ${msa.getComponent(2, 1)}`);
  }
  client.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
