package jenkins.model.identity;

import hudson.ExtensionPoint;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;

public abstract class InstanceIdentityProvider<PUB extends PublicKey, PRIV extends PrivateKey>
        implements ExtensionPoint {
    public static final KeyTypes<RSAPublicKey, RSAPrivateKey> RSA = null;

    InstanceIdentityProvider() {}

    public static final class KeyTypes<PUB extends PublicKey, PRIV extends PrivateKey> {
        KeyTypes() {}

        public PRIV getPrivateKey() {
            throw new UnsupportedOperationException();
        }

        public X509Certificate getCertificate() {
            throw new UnsupportedOperationException();
        }
    }
}
