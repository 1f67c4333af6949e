package jenkins.security;

import javax.crypto.Mac;

@SuppressWarnings("rawtypes")
public class HMACConfidentialKey extends ConfidentialKey {
    public HMACConfidentialKey(String id) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(Class owner, String shortName) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(String id, int length) {
        throw new UnsupportedOperationException();
    }

    public HMACConfidentialKey(Class owner, String shortName, int length) {
        throw new UnsupportedOperationException();
    }

    public String mac(String message) {
        throw new UnsupportedOperationException();
    }

    public byte[] mac(byte[] message) {
        throw new UnsupportedOperationException();
    }

    public boolean checkMac(byte[] message, byte[] mac) {
        throw new UnsupportedOperationException();
    }

    public boolean checkMac(String message, String mac) {
        throw new UnsupportedOperationException();
    }

    public Mac createMac() {
        throw new UnsupportedOperationException();
    }
}
