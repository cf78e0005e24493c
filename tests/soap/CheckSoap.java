import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** Holds the operations of SOAP envelopes, the files of a folder, against a schema. A line for each that is wrong. */
class CheckSoap {
    private static final String ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/";

    public static void main(String[] args) throws Exception {
        Schema schema = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new File(args[0]));
        DocumentBuilderFactory documents = DocumentBuilderFactory.newInstance();
        documents.setNamespaceAware(true);
        int checked = 0;
        int wrong = 0;
        try (Stream<Path> files = Files.list(Path.of(args[1]))) {
            for (Path file : files.sorted().toList()) {
                checked++;
                String problem = check(schema, documents.newDocumentBuilder().parse(file.toFile()).getDocumentElement());
                if (problem != null) {
                    wrong++;
                    System.out.println(file.getFileName() + ": " + problem);
                }
            }
        }
        System.out.println(checked + " checked, " + wrong + " wrong");
        System.exit(wrong == 0 ? 0 : 1);
    }

    private static String check(Schema schema, Element envelope) throws Exception {
        NodeList bodies = envelope.getElementsByTagNameNS(ENVELOPE, "Body");
        if (!ENVELOPE.equals(envelope.getNamespaceURI()) || bodies.getLength() != 1) {
            return "not an envelope with one body";
        }
        Node operation = bodies.item(0).getFirstChild();
        try {
            schema.newValidator().validate(new DOMSource(operation));
            return null;
        } catch (SAXException refused) {
            return refused.getMessage();
        }
    }
}
