package io.jenkins.plugins.ha.indexer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.objectweb.asm.AnnotationVisitor;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * What a class file declares.
 *
 * @param name internal name
 * @param access flags; those of a nested class as its source says, not as the class file's head
 *     does
 * @param superclass internal name, null for {@code java/lang/Object}
 * @param interfaces internal names
 * @param members fields, then methods
 * @param annotations descriptors of the annotations on the class or a member of it that are kept in
 *     the class file
 */
public record ClassDeclaration(
        String name,
        int access,
        String superclass,
        List<String> interfaces,
        List<Member> members,
        Set<String> annotations) {

    /**
     * A field, method or constructor.
     *
     * @param name {@code <init>} for a constructor
     * @param descriptor erased; that of a field has no parenthesis
     * @param access flags
     * @param constant a value that javac copies into those who use it
     */
    public record Member(String name, String descriptor, int access, boolean constant) {
        public boolean isField() {
            return !descriptor.startsWith("(");
        }

        public boolean isStatic() {
            return (access & Opcodes.ACC_STATIC) != 0;
        }

        public boolean isFinal() {
            return (access & Opcodes.ACC_FINAL) != 0;
        }

        public boolean isAbstract() {
            return (access & Opcodes.ACC_ABSTRACT) != 0;
        }

        public boolean isPublic() {
            return (access & Opcodes.ACC_PUBLIC) != 0;
        }

        public boolean isPublicOrProtected() {
            return (access & (Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED)) != 0;
        }

        public boolean isSynthetic() {
            return (access & Opcodes.ACC_SYNTHETIC) != 0;
        }
    }

    public boolean isInterface() {
        return (access & Opcodes.ACC_INTERFACE) != 0;
    }

    public boolean isFinal() {
        return (access & Opcodes.ACC_FINAL) != 0;
    }

    public boolean isAbstract() {
        return (access & Opcodes.ACC_ABSTRACT) != 0;
    }

    public boolean isPublicOrProtected() {
        return (access & (Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED)) != 0;
    }

    /** Superclass, then interfaces. */
    public List<String> supertypes() {
        List<String> all = new ArrayList<>();
        if (superclass != null) {
            all.add(superclass);
        }
        all.addAll(interfaces);
        return all;
    }

    /** The member declared here with this name and descriptor. */
    public Optional<Member> member(String name, String descriptor) {
        return members.stream()
                .filter(m -> m.name().equals(name) && m.descriptor().equals(descriptor))
                .findFirst();
    }

    /** Reads a class file. */
    public static ClassDeclaration read(byte[] classFile) {
        Reader reader = new Reader();
        new ClassReader(classFile)
                .accept(
                        reader,
                        ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return new ClassDeclaration(
                reader.name,
                reader.access,
                reader.superclass,
                reader.interfaces,
                reader.members,
                reader.annotations);
    }

    private static final class Reader extends ClassVisitor {
        private String name;
        private int access;
        private String superclass;
        private List<String> interfaces;
        private final List<Member> members = new ArrayList<>();
        private final Set<String> annotations = new LinkedHashSet<>();

        private Reader() {
            super(Opcodes.ASM9);
        }

        @Override
        public void visit(
                int version,
                int flags,
                String type,
                String signature,
                String parent,
                String[] implemented) {
            name = type;
            access = flags;
            superclass = parent;
            interfaces = List.of(implemented);
        }

        @Override
        public void visitInnerClass(String type, String outer, String simple, int flags) {
            if (type.equals(name)) {
                access = flags;
            }
        }

        @Override
        public AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
            annotations.add(descriptor);
            return null;
        }

        @Override
        public FieldVisitor visitField(
                int flags, String field, String descriptor, String signature, Object value) {
            members.add(new Member(field, descriptor, flags, value != null));
            return new FieldVisitor(Opcodes.ASM9) {
                @Override
                public AnnotationVisitor visitAnnotation(String annotation, boolean visible) {
                    annotations.add(annotation);
                    return null;
                }
            };
        }

        @Override
        public MethodVisitor visitMethod(
                int flags, String method, String descriptor, String signature, String[] thrown) {
            members.add(new Member(method, descriptor, flags, false));
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public AnnotationVisitor visitAnnotation(String annotation, boolean visible) {
                    annotations.add(annotation);
                    return null;
                }
            };
        }
    }
}
