package io.jenkins.plugins.ha.indexer;

import io.jenkins.plugins.ha.indexer.ClassDeclaration.Member;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Everything that the plugin's classes name of other classes than their own and the JDK's, a line
 * each:
 *
 * <pre>
 * type OWNER class|interface                   a class that is named
 * extends OWNER class|interface                a class that one of ours extends or implements
 * field OWNER NAME DESCRIPTOR static|instance public|protected
 * method OWNER NAME DESCRIPTOR static|instance class|interface public|protected
 * override OWNER NAME DESCRIPTOR               a method of it that one of ours overrides
 * reflective type|field|method OWNER [NAME [DESCRIPTOR]]    what is reached by its name at run time
 * </pre>
 *
 * OWNER is a binary name with dots, DESCRIPTOR that of the class file; {@code protected} stands
 * where protected is enough.
 */
final class References {
    /**
     * Marks, in the plugin, what is reached by reflection: its value holds the lines after {@code
     * reflective}.
     */
    static final String USES_BY_REFLECTION = "Lio/jenkins/plugins/ha/linkage/UsesByReflection;";

    private static final String OURS = "io/jenkins/plugins/ha/";

    /**
     * Of plugins that may be absent: where they are installed, it is looked at then whether they
     * have what is needed.
     */
    private static final List<String> OPTIONAL =
            List.of("org/jenkins/plugins/lockableresources/", "org/jenkinsci/plugins/");

    private static final Set<String> REFLECTIVE_KINDS = Set.of("type", "field", "method");

    private final ClassFiles ours;
    private final ClassFiles all;
    private final SortedSet<String> lines = new TreeSet<>();

    private References(ClassFiles ours, ClassFiles all) {
        this.ours = ours;
        this.all = all;
    }

    /**
     * The lines, sorted.
     *
     * @param ours the plugin's classes
     * @param all those and what they were compiled against
     */
    static SortedSet<String> lines(ClassFiles ours, ClassFiles all) {
        References references = new References(ours, all);
        for (String name : ours.names()) {
            references.read(name);
        }
        return Collections.unmodifiableSortedSet(references.lines);
    }

    private void read(String name) {
        ClassDeclaration type = all.find(name).orElseThrow();
        for (String supertype : type.supertypes()) {
            type(supertype);
            if (foreign(supertype)) {
                lines.add("extends " + binary(supertype) + " " + kind(supertype));
            }
        }
        for (ClassDeclaration supertype : all.withSupertypes(name)) {
            if (foreign(supertype.name())) {
                overrides(type, supertype);
            }
        }
        new ClassReader(ours.bytes(name))
                .accept(new InClass(name), ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
    }

    private void overrides(ClassDeclaration type, ClassDeclaration supertype) {
        for (Member method : supertype.members()) {
            boolean overridable =
                    !method.isField()
                            && !method.isStatic()
                            && method.isPublicOrProtected()
                            && !method.name().equals("<init>");
            if (overridable
                    && type.member(method.name(), method.descriptor())
                            .filter(m -> !m.isStatic())
                            .isPresent()) {
                lines.add(
                        "override "
                                + binary(supertype.name())
                                + " "
                                + method.name()
                                + " "
                                + method.descriptor());
            }
        }
    }

    private void type(String name) {
        if (name.startsWith("[")) {
            type(Type.getType(name));
        } else if (foreign(name)) {
            lines.add("type " + binary(name) + " " + kind(name));
        }
    }

    private void type(Type type) {
        switch (type.getSort()) {
            case Type.ARRAY -> type(type.getElementType());
            case Type.OBJECT -> type(type.getInternalName());
            case Type.METHOD -> {
                for (Type argument : type.getArgumentTypes()) {
                    type(argument);
                }
                type(type.getReturnType());
            }
            default -> {
                // a primitive type is always there
            }
        }
    }

    private void field(
            String from, String owner, String name, String descriptor, boolean isStatic) {
        if (foreign(owner)) {
            type(owner);
            lines.add(
                    "field "
                            + binary(owner)
                            + " "
                            + name
                            + " "
                            + descriptor
                            + " "
                            + (isStatic ? "static" : "instance")
                            + " "
                            + access(from, owner));
        }
        type(Type.getType(descriptor));
    }

    private void method(
            String from,
            String owner,
            String name,
            String descriptor,
            boolean isStatic,
            boolean isInterface) {
        if (foreign(owner) && !owner.startsWith("[")) {
            type(owner);
            lines.add(
                    "method "
                            + binary(owner)
                            + " "
                            + name
                            + " "
                            + descriptor
                            + " "
                            + (isStatic ? "static" : "instance")
                            + (isInterface ? " interface " : " class ")
                            + access(from, owner));
        }
        type(Type.getMethodType(descriptor));
    }

    private void constant(String from, Object value) {
        if (value instanceof Type type) {
            type(type);
        } else if (value instanceof Handle handle) {
            int tag = handle.getTag();
            if (tag <= Opcodes.H_PUTSTATIC) {
                field(
                        from,
                        handle.getOwner(),
                        handle.getName(),
                        handle.getDesc(),
                        tag == Opcodes.H_GETSTATIC || tag == Opcodes.H_PUTSTATIC);
            } else {
                method(
                        from,
                        handle.getOwner(),
                        handle.getName(),
                        handle.getDesc(),
                        tag == Opcodes.H_INVOKESTATIC,
                        handle.isInterface());
            }
        } else if (value instanceof ConstantDynamic dynamic) {
            for (int i = 0; i < dynamic.getBootstrapMethodArgumentCount(); i++) {
                constant(from, dynamic.getBootstrapMethodArgument(i));
            }
        }
    }

    private String access(String from, String owner) {
        return all.isSubtype(from, owner) ? "protected" : "public";
    }

    private String kind(String name) {
        return all.find(name)
                .map(type -> type.isInterface() ? "interface" : "class")
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        name + " is not among the classes compiled against"));
    }

    private static boolean foreign(String name) {
        return OPTIONAL.stream().noneMatch(name::startsWith)
                && !name.startsWith("java/")
                && !name.startsWith("javax/crypto/")
                && !name.startsWith(OURS)
                && !name.startsWith("[");
    }

    private static String binary(String name) {
        return name.replace('/', '.');
    }

    private AnnotationVisitor annotation(String owner, String descriptor) {
        if (!descriptor.equals(USES_BY_REFLECTION)) {
            return null;
        }
        return new AnnotationVisitor(Opcodes.ASM9) {
            @Override
            public AnnotationVisitor visitArray(String name) {
                return this;
            }

            @Override
            public void visit(String name, Object value) {
                List<String> words =
                        new ArrayList<>(List.of(value.toString().trim().split("\\s+")));
                if (!REFLECTIVE_KINDS.contains(words.get(0))
                        || words.size() < 2
                        || (words.size() < 3) != words.get(0).equals("type")) {
                    throw new IllegalStateException(
                            binary(owner)
                                    + ": @UsesByReflection(\""
                                    + value
                                    + "\") is none of: type CLASS | field CLASS NAME [DESCRIPTOR] |"
                                    + " method CLASS NAME DESCRIPTOR");
                }
                lines.add("reflective " + String.join(" ", words));
            }
        };
    }

    private final class InClass extends ClassVisitor {
        private final String name;

        private InClass(String name) {
            super(Opcodes.ASM9);
            this.name = name;
        }

        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
            return annotation(name, descriptor);
        }

        @Override
        public FieldVisitor visitField(
                int access, String field, String descriptor, String signature, Object value) {
            type(Type.getType(descriptor));
            return new FieldVisitor(Opcodes.ASM9) {
                @Override
                public AnnotationVisitor visitAnnotation(String annotation, boolean visible) {
                    return annotation(name, annotation);
                }
            };
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String method, String descriptor, String signature, String[] thrown) {
            type(Type.getMethodType(descriptor));
            if (thrown != null) {
                for (String exception : thrown) {
                    type(exception);
                }
            }
            return new InMethod(name);
        }
    }

    private final class InMethod extends MethodVisitor {
        private final String from;

        private InMethod(String from) {
            super(Opcodes.ASM9);
            this.from = from;
        }

        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
            return annotation(from, descriptor);
        }

        @Override
        public void visitTypeInsn(int opcode, String type) {
            type(type);
        }

        @Override
        public void visitFieldInsn(int opcode, String owner, String name, String descriptor) {
            field(
                    from,
                    owner,
                    name,
                    descriptor,
                    opcode == Opcodes.GETSTATIC || opcode == Opcodes.PUTSTATIC);
        }

        @Override
        public void visitMethodInsn(
                int opcode, String owner, String name, String descriptor, boolean isInterface) {
            method(from, owner, name, descriptor, opcode == Opcodes.INVOKESTATIC, isInterface);
        }

        @Override
        public void visitInvokeDynamicInsn(
                String name, String descriptor, Handle bootstrap, Object... arguments) {
            type(Type.getMethodType(descriptor));
            for (Object argument : arguments) {
                constant(from, argument);
            }
        }

        @Override
        public void visitLdcInsn(Object value) {
            constant(from, value);
        }

        @Override
        public void visitMultiANewArrayInsn(String descriptor, int dimensions) {
            type(Type.getType(descriptor));
        }

        @Override
        public void visitTryCatchBlock(Label start, Label end, Label handler, String type) {
            if (type != null) {
                type(type);
            }
        }
    }
}
