import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.Initiator;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Sends messages as HAPI's users do, over several connections, and prints MSA-1 and MSA-2 of each answer. HAPI parses
 * and validates what it is answered, and matches it to what it sent.
 *
 * <p>Arguments: host, port, connections, messages of each.
 */
public final class Client {
    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        int port = Integer.parseInt(arguments[1]);
        int connections = Integer.parseInt(arguments[2]);
        int messages = Integer.parseInt(arguments[3]);
        ExecutorService senders = Executors.newFixedThreadPool(connections);
        List<Future<List<String>>> sent = new ArrayList<>();
        try (HapiContext context = new DefaultHapiContext()) {
            context.setValidationContext(ValidationContextFactory.defaultValidation());
            for (int number = 0; number < connections; number++) {
                int sender = number;
                Callable<List<String>> send = () -> send(context, host, port, sender, messages);
                sent.add(senders.submit(send));
            }
            for (Future<List<String>> answers : sent) {
                answers.get(60, TimeUnit.SECONDS).forEach(System.out::println);
            }
        } finally {
            senders.shutdownNow();
        }
    }

    private static List<String> send(HapiContext context, String host, int port, int sender, int messages)
            throws Exception {
        List<String> answers = new ArrayList<>();
        // Not a shared one: each sender has a socket of its own.
        Connection connection = context.newClient(host, port, false);
        Initiator initiator = connection.getInitiator();
        initiator.setTimeout(20, TimeUnit.SECONDS);
        for (int number = 0; number < messages; number++) {
            String id = "HAPI-" + sender + "-" + number;
            String text = "MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|CLOUD|20261122101500||ADT^A08^ADT_A01|" + id + "|P|2.5\r"
                    + "EVN|A08|20261122101500\r"
                    + "PID|1||H" + sender + "^^^SUNRISE^MR||Testperson^Hapi||19700101|F\r"
                    + "PV1|1|N\r";
            Message answer = initiator.sendAndReceive(context.getPipeParser().parse(text));
            Terser terser = new Terser(answer);
            answers.add(terser.get("/MSA-1") + " " + terser.get("/MSA-2"));
        }
        connection.close();
        return answers;
    }
}
