import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import java.io.IOException;
import java.util.Map;

/**
 * Receives messages as an engine built on HAPI does: parses, validates, accepts. Prints the event, MSH-10 and the family
 * name of each.
 *
 * <p>Argument: the port.
 */
public final class Server {
    public static void main(String[] arguments) throws Exception {
        HapiContext context = new DefaultHapiContext();
        HL7Service service = context.newServer(Integer.parseInt(arguments[0]), false);
        service.registerApplication("*", "*", new ReceivingApplication<Message>() {
            @Override
            public Message processMessage(Message message, Map<String, Object> about) throws HL7Exception {
                Terser terser = new Terser(message);
                System.out.println(terser.get("/MSH-9-1") + "^" + terser.get("/MSH-9-2") + " " + terser.get("/MSH-10") + " "
                        + terser.get("/PID-5-1"));
                try {
                    return message.generateACK();
                } catch (IOException failure) {
                    throw new HL7Exception(failure);
                }
            }

            @Override
            public boolean canProcess(Message message) {
                return true;
            }
        });
        service.startAndWait();
        System.out.println("listening");
    }
}
