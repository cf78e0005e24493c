/**
 * Receives messages by simple-hl7's server, which accepts everything. Prints the event, MSH-10 and the family name of each;
 * with `quiet` as the last argument nothing.
 *
 * Argument: the port.
 */
const hl7 = require("simple-hl7");

const [port, quiet] = process.argv.slice(2);
const app = hl7.tcp();

app.use((request, response) => {
  if (!quiet) {
    const { header } = request.msg;
    const family = request.msg.getSegment("PID").getComponent(5, 1);
    console.log(`${request.type}^${request.event} ${header.getField(8)} ${family}`);
  }
  response.end();
});
app.use((error, request, response, next) => {
  console.error(error);
  if (next) next();
});
app.start(Number(port));
app.server.server.on("listening", () => console.log("listening"));
