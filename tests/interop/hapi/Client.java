import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.Initiator;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import java.util.concurrent.TimeUnit;

/**
 * Sends messages as HAPI's users do, and prints MSA-1 and MSA-2 of each answer. HAPI parses and validates what it is
 * answered, and matches it to what it sent. One sender for each process: within one, HAPI shares connections and threads.
 *
 * <p>Arguments: host, port, the sender's name, how many messages.
 */
public final class Client {
    public static void main(String[] arguments) throws Exception {
        String sender = arguments[2];
        int messages = Integer.parseInt(arguments[3]);
        try (HapiContext context = new DefaultHapiContext()) {
            context.setValidationContext(ValidationContextFactory.defaultValidation());
            Connection connection = context.newClient(arguments[0], Integer.parseInt(arguments[1]), false);
            Initiator initiator = connection.getInitiator();
            initiator.setTimeout(20, TimeUnit.SECONDS);
            for (int number = 0; number < messages; number++) {
                String text = "MSH|^~\\&|SUNREG|SUNRISE|BRIDGE|CLOUD|20261122101500||ADT^A08^ADT_A01|" + sender + "-"
                        + number + "|P|2.5\r"
                        + "EVN|A08|20261122101500\r"
                        + "PID|1||" + sender + "^^^SUNRISE^MR||Testperson^Hapi||19700101|F\r"
                        + "PV1|1|N\r";
                Message answer = initiator.sendAndReceive(context.getPipeParser().parse(text));
                Terser terser = new Terser(answer);
                System.out.println(terser.get("/MSA-1") + " " + terser.get("/MSA-2"));
            }
            connection.close();
        }
    }
}
