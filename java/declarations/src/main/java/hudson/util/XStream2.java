package hudson.util;

import com.thoughtworks.xstream.XStream;
import com.thoughtworks.xstream.converters.ConverterLookup;
import com.thoughtworks.xstream.converters.ConverterRegistry;
import com.thoughtworks.xstream.converters.reflection.ReflectionProvider;
import com.thoughtworks.xstream.core.ClassLoaderReference;
import com.thoughtworks.xstream.io.HierarchicalStreamDriver;
import com.thoughtworks.xstream.mapper.Mapper;

@SuppressWarnings("rawtypes")
public class XStream2 extends XStream {
    public XStream2() {
        super();
        throw new UnsupportedOperationException();
    }

    public XStream2(HierarchicalStreamDriver hierarchicalStreamDriver) {
        super();
        throw new UnsupportedOperationException();
    }

    public XStream2(
            ReflectionProvider reflectionProvider,
            HierarchicalStreamDriver hierarchicalStreamDriver,
            ClassLoaderReference classLoaderReference,
            Mapper mapper,
            ConverterLookup converterLookup,
            ConverterRegistry converterRegistry) {
        super();
        throw new UnsupportedOperationException();
    }

    public void addCompatibilityAlias(String text, Class type) {
        throw new UnsupportedOperationException();
    }
}
