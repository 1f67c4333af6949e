package hudson.model;

@SuppressWarnings("rawtypes")
public abstract class TopLevelItemDescriptor extends Descriptor<TopLevelItem> {
    TopLevelItemDescriptor() {}

    public abstract TopLevelItem newInstance(ItemGroup parent, String name);
}
