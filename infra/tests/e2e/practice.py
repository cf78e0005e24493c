"""What the practice of these tests and its systems agreed on."""

WIDGET_SECRET = "invented-for-the-end-to-end-test"
STUDIO_KEY = b"invented 32 bytes for the studio"
HL7_PASSWORD = "invented-for-the-interface"
