package jenkins.model;

import hudson.model.TopLevelItem;
import java.io.IOException;

public interface DirectlyModifiableTopLevelItemGroup extends ModifiableTopLevelItemGroup {
    boolean canAdd(TopLevelItem topLevelItem);

    void remove(TopLevelItem topLevelItem) throws IOException, IllegalArgumentException;

    <I extends TopLevelItem> I add(I item, String name)
            throws IOException, IllegalArgumentException;
}
