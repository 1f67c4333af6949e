package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The two sides of the bridge declare the same. */
class NativesTest {
    @Test
    void everyNativeMethodIsImplementedAndEveryImplementationIsDeclared() {
        NativeLibrary.load();
        TreeSet<String> declared =
                Arrays.stream(BridgeDoor.nativeClass().getDeclaredMethods())
                        .filter(method -> Modifier.isNative(method.getModifiers()))
                        .map(method -> method.getName() + descriptor(method))
                        .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(declared.size() > 20, declared.toString());
        assertEquals(declared, new TreeSet<>(BridgeDoor.natives()));
    }

    @Test
    void allNativesAreStatic() {
        for (Method method : BridgeDoor.nativeClass().getDeclaredMethods()) {
            assertTrue(Modifier.isStatic(method.getModifiers()), method.toString());
        }
    }

    private static String descriptor(Method method) {
        return MethodType.methodType(method.getReturnType(), method.getParameterTypes())
                .toMethodDescriptorString();
    }
}
