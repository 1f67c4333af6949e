package jenkins.security;

import javax.crypto.Mac;

@SuppressWarnings("rawtypes")
public class HMACConfidentialKey extends ConfidentialKey {
    public HMACConfidentialKey(String text) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(Class type, String text) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(String text, int number) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(Class type, String text, int number) {
        throw new UnsupportedOperationException();
    }

    public String mac(String text) {
        throw new UnsupportedOperationException();
    }

    public byte[] mac(byte[] bs) {
        throw new UnsupportedOperationException();
    }

    public boolean checkMac(byte[] bs, byte[] bs2) {
        throw new UnsupportedOperationException();
    }

    public boolean checkMac(String text, String text2) {
        throw new UnsupportedOperationException();
    }

    public Mac createMac() {
        throw new UnsupportedOperationException();
    }
}
